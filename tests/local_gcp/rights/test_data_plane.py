"""Calls of Pub/Sub are judged by the token that they bear; our clients send theirs on this machine only."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import grpc
import grpc.aio
import pytest

from event_store.errors import ConfigurationError, UnavailableError
from event_store.pubsub.channel import is_local
from event_store.pubsub.messages_pb2 import PubsubMessage
from event_store.pubsub.publisher import Publisher
from event_store.pubsub.subscriber import Subscriber
from local_gcp.container.metadata_server import MetadataServer
from local_gcp.pubsub_api import pubsub_rules as pubsub
from local_gcp.resource.place import Place
from local_gcp.resource.records import Record, Records
from local_gcp.rights.callers import Tokens
from local_gcp.rights.data_plane import pubsub_judge
from local_gcp.rights.rights import Rights
from local_gcp.rights.roles import PERMISSIONS
from pubsub_emulator import PubSubServer, wire
from pubsub_emulator.access.permissions import ASKED

ACCOUNT: Final = "runtime@p-1.iam.gserviceaccount.com"
TOPIC: Final = "projects/p-1/topics/words"
SUBSCRIPTION: Final = "projects/p-1/subscriptions/words"
PLACE: Final = Place("p-1", "europe-west1")
MESSAGE: Final = PubsubMessage(data=b"word")


@dataclass(frozen=True, slots=True)
class JudgingPubSub:
    """A Pub/Sub that judges, with a topic and a subscription.

    Attributes:
        address: Where it listens.
        records: The grants that it judges by.
        seen: The tokens that calls bore.
    """

    address: str
    records: Records
    seen: list[str]

    def grant(self, kind: str, **inputs: str) -> None:
        full = {"member": f"serviceAccount:{ACCOUNT}", **inputs}
        self.records.put(Record(type=kind, id=inputs["role"], urn="", inputs=full, outputs=full))

    async def call(self, service: str, method: str, request: Any, response: Any, token: str = "") -> Any:
        async with grpc.aio.insecure_channel(self.address) as channel:
            call = channel.unary_unary(
                f"/google.pubsub.v1.{service}/{method}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=response.FromString,
            )
            metadata = (("authorization", f"Bearer {token}"),) if token else ()
            return await call(request, metadata=metadata, timeout=20)


@pytest.fixture
async def bus() -> AsyncIterator[JudgingPubSub]:
    """A Pub/Sub of the local Google Cloud, with rights enforced."""
    records, seen = Records(None), []
    records.place = PLACE
    judge = pubsub_judge(Rights(records, "enforce"), Tokens("secret"), records)

    def noted(token: str, permission: str, resource: str) -> None:
        seen.append(token)
        judge(token, permission, resource)

    async with PubSubServer(judge=noted) as server:
        made = JudgingPubSub(server.address, records, seen)
        await made.call("Publisher", "CreateTopic", wire.Topic(name=TOPIC), wire.Topic)
        subscription = wire.Subscription(name=SUBSCRIPTION, topic=TOPIC)
        await made.call("Subscriber", "CreateSubscription", subscription, wire.Subscription)
        seen.clear()
        yield made


@pytest.fixture
async def container(bus: JudgingPubSub, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[JudgingPubSub]:
    """The Pub/Sub that a container of the account finds in its surroundings, and the account's tokens."""
    async with MetadataServer(PLACE, ACCOUNT, Tokens("secret").of_account(ACCOUNT)) as metadata:
        for name, value in metadata.variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", bus.address)
        yield bus


def test_every_method_asks_for_what_a_role_permits() -> None:
    """Each method of the embedded Pub/Sub is in the table, by permissions that Google has."""
    named = {
        permission
        for method, asked in ASKED.items()
        if not method.endswith("IamPolicy") and method != "TestIamPermissions"
        for permission, _ in asked(_Whatever())
    }

    assert named
    assert sorted(named - PERMISSIONS) == []


class _Whatever:
    """A request whose every field is the name of something."""

    def __getattr__(self, _name: str) -> "_Whatever":
        return self

    def __str__(self) -> str:
        return TOPIC

    def split(self, separator: str) -> list[str]:
        return TOPIC.split(separator)


async def test_a_publisher_without_its_right_is_refused_by_name(container: JudgingPubSub) -> None:
    """The relay's own client bears its token: without the grant Pub/Sub names what is missing."""
    publisher = Publisher()
    await publisher.open()
    try:
        with pytest.raises(
            UnavailableError, match=r"PERMISSION_DENIED.*'pubsub\.topics\.publish'.*publisher"
        ):
            await publisher.publish(TOPIC, [MESSAGE], 20)
        container.grant(pubsub.TOPIC_IAM_MEMBER.type, topic="words", role="roles/pubsub.publisher")

        await publisher.publish(TOPIC, [MESSAGE], 20)
    finally:
        await publisher.close()


async def test_a_subscriber_without_its_right_is_refused_by_name(container: JudgingPubSub) -> None:
    """A consumer's own client bears its token on calls and on streams."""
    request = wire.PublishRequest(topic=TOPIC, messages=[wire.PubsubMessage(data=MESSAGE.data)])
    await container.call("Publisher", "Publish", request, wire.PublishResponse)
    subscriber = Subscriber()
    await subscriber.open()
    try:
        with pytest.raises(ConfigurationError, match=r"'pubsub\.subscriptions\.consume'"):
            await subscriber.pull(SUBSCRIPTION, 1, 20)
        stream = subscriber.stream()
        await stream.write(
            wire.StreamingPullRequest(subscription=SUBSCRIPTION, stream_ack_deadline_seconds=10)
        )
        async with asyncio.timeout(20):
            assert await stream.code() is grpc.StatusCode.PERMISSION_DENIED
        container.grant(
            pubsub.SUBSCRIPTION_IAM_MEMBER.type, subscription="words", role="roles/pubsub.subscriber"
        )

        (received,) = await subscriber.pull(SUBSCRIPTION, 1, 20)
        await subscriber.acknowledge(SUBSCRIPTION, [received.ack_id])
    finally:
        await subscriber.close()


async def test_a_token_that_was_not_given_out_here_is_refused(bus: JudgingPubSub) -> None:
    """Who calls is known by the token alone."""
    request = wire.GetTopicRequest(topic=TOPIC)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await bus.call(
            "Publisher", "GetTopic", request, wire.Topic, token=Tokens("other").of_account(ACCOUNT)
        )

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_without_a_token_it_is_the_person_at_this_machine(
    bus: JudgingPubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client outside of a container sends none, whatever credentials its user has, and is not held up."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", bus.address)
    monkeypatch.delenv("GCE_METADATA_HOST", raising=False)
    publisher = Publisher()
    await publisher.open()
    await publisher.publish(TOPIC, [MESSAGE], 20)
    await publisher.close()

    assert bus.seen == [""]


@pytest.mark.parametrize(
    ("emulator", "metadata", "sends"),
    [
        ("127.0.0.1:8085", "127.0.0.1:9000", True),
        ("[::1]:8085", "127.0.0.1:9000", True),
        ("10.0.0.7:8085", "127.0.0.1:9000", False),
        ("pubsub.example.com:8085", "127.0.0.1:9000", False),
        ("127.0.0.1.example.com:8085", "127.0.0.1:9000", False),
        ("127.0.0.1:8085", "169.254.169.254:80", False),
        ("127.0.0.1:8085", "metadata.google.internal:80", False),
        ("127.0.0.1:8085", "", False),
    ],
)
def test_a_token_goes_nowhere_but_to_this_machine(emulator: str, metadata: str, *, sends: bool) -> None:
    """Neither to an emulator elsewhere, nor one that Google's metadata server has given."""
    assert is_local(emulator, metadata) is sends


async def test_a_token_is_not_sent_to_an_emulator_by_another_name(
    container: JudgingPubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may lead elsewhere tomorrow, so even that of this machine gets none."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", container.address.replace("127.0.0.1", "localhost"))
    publisher = Publisher()
    await publisher.open()
    await publisher.publish(TOPIC, [MESSAGE], 20)
    await publisher.close()

    assert container.seen == [""]
