"""The script that makes the bus on an emulator, on the embedded Pub/Sub."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import grpc
from google.pubsub_v1 import RetryPolicy, SubscriberAsyncClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from event_store.topology import Topology
from pubsub_emulator import PubSubServer

ROOT = Path(__file__).parents[3]


async def _run_script(emulator: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        ROOT / "tools" / "emulator_bus.py",
        "event-store-local",
        ROOT / "topology.yaml",
        env=os.environ | {"PUBSUB_EMULATOR_HOST": emulator},
    )
    return await asyncio.wait_for(process.wait(), timeout=60)


async def test_an_emulator_gets_every_subscription_of_the_topology() -> None:
    """Each has its topic, its settings and its dead letters, and a second run changes nothing."""
    async with PubSubServer("127.0.0.1", 0) as server:
        assert await _run_script(server.address) == 0
        assert await _run_script(server.address) == 0
        async with grpc.aio.insecure_channel(server.address) as channel:
            client = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
            pages = await client.list_subscriptions(project="projects/event-store-local", timeout=30)
            made = {each.name.rpartition("/")[2]: each async for each in pages}

    expected = Topology.load(ROOT / "topology.yaml").subscriptions
    assert set(made) == {name for each in expected for name in (each.name, each.dead_letter_name)}
    for subscription in expected:
        one = made[subscription.name]
        assert one.topic.endswith(f"/{subscription.topic}")
        assert one.ack_deadline_seconds == subscription.ack_deadline_seconds
        assert one.enable_message_ordering == subscription.enable_message_ordering
        assert one.retry_policy == RetryPolicy(
            minimum_backoff=timedelta(seconds=subscription.retry_policy.minimum_backoff_seconds),
            maximum_backoff=timedelta(seconds=subscription.retry_policy.maximum_backoff_seconds),
        )
        assert one.dead_letter_policy.dead_letter_topic.endswith(f"/{subscription.dead_letter_name}")
        assert one.dead_letter_policy.max_delivery_attempts == subscription.max_delivery_attempts
