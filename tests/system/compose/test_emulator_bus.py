"""The command that makes the bus of `docker-compose.yml`, on the embedded Pub/Sub."""

from datetime import timedelta

import grpc
import yaml
from google.pubsub_v1 import ExpirationPolicy, RetryPolicy, SubscriberAsyncClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from event_store.topology import Topology
from pubsub_emulator import PubSubServer
from tests.event_store.command import ROOT, run


async def _create(emulator: str) -> int:
    """Run the command of the service `bus`, with the file that is mounted there."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    mounted = {each.split(":")[1]: each.split(":")[0] for each in services["bus"]["volumes"]}
    command = [mounted.get(word, word) for word in services["bus"]["command"]]
    return (await run(*command, PUBSUB_EMULATOR_HOST=emulator)).code


async def test_an_emulator_gets_every_subscription_of_the_topology() -> None:
    """Each has its topic, its settings and its dead letters, and a second run changes nothing."""
    async with PubSubServer("127.0.0.1", 0) as server:
        assert await _create(server.address) == 0
        assert await _create(server.address) == 0
        async with grpc.aio.insecure_channel(server.address) as channel:
            client = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
            pages = await client.list_subscriptions(project="projects/event-store-local", timeout=30)
            made = {each.name.rpartition("/")[2]: each async for each in pages}

    expected = Topology.load(ROOT / "topology.yaml").subscriptions
    assert set(made) == {name for each in expected for name in (each.name, each.dead_letter_name)}
    for subscription in expected:
        dead_letters = made[subscription.dead_letter_name]
        assert dead_letters.message_retention_duration == timedelta(days=31)
        assert dead_letters.expiration_policy == ExpirationPolicy()
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
