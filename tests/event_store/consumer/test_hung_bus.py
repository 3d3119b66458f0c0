"""A connection to Pub/Sub that hangs is found by pings, however long its stream waits for messages."""

import asyncio

import grpc
import pytest

from event_store import keep_alive
from event_store.pubsub.messages_pb2 import StreamingPullRequest
from event_store.pubsub.subscriber import Subscriber
from tests.proxy import PATIENCE_SECONDS, Proxy
from tests.pubsub_emulator.bus import Bus


async def test_a_stream_whose_connection_hangs_ends(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """So its consumer opens another one, instead of waiting forever for what does not come."""
    monkeypatch.setattr(keep_alive, "PUBSUB_PING_SECONDS", 0.2)
    monkeypatch.setattr(keep_alive, "PUBSUB_PATIENCE_SECONDS", 1.0)
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    async with Proxy(int(bus.address.rpartition(":")[2])) as proxy:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{proxy.port}")
        subscriber = Subscriber()
        await subscriber.open()
        call = subscriber.stream()
        await call.write(StreamingPullRequest(subscription=subscription, stream_ack_deadline_seconds=10))
        await bus.publish(topic, "first")
        await call.read()
        proxy.freeze()

        with pytest.raises(grpc.aio.AioRpcError) as failure:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await call.read()

        assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
        await subscriber.close()
