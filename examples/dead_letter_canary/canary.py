"""Run the canary once.

Invariants:
- All created topics and subscriptions are deleted before `run` ends, however it ends.
- Each wait ends after `timeout_seconds`.
"""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final

import grpc.aio
from google.api_core.exceptions import (
    Aborted,
    DeadlineExceeded,
    GoogleAPICallError,
    InternalServerError,
    ServiceUnavailable,
    Unknown,
)
from google.iam.v1.iam_policy_pb2 import SetIamPolicyRequest
from google.iam.v1.policy_pb2 import Binding, Policy
from google.pubsub_v1 import PublisherAsyncClient, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport
from google.pubsub_v1.types import PubsubMessage, StreamingPullRequest, Subscription, Topic

KEY: Final = "canary"
ATTEMPTS: Final = 5  # the minimum of Pub/Sub
_CALL_SECONDS: Final = 30.0
_PULL_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 1.0  # before an ended stream is opened again
_ENDS: Final = (Aborted, DeadlineExceeded, InternalServerError, ServiceUnavailable, Unknown)
_LIFE: Final = timedelta(days=1)  # until a killed canary's subscription expires; Pub/Sub's minimum


class CanaryError(Exception):
    """No dead letter came, or the key stalls."""


class _Messages:
    """A stream with one outstanding message, so a new message shows that the last one is settled.

    Pub/Sub ends a stream now and then; it is then opened again.
    """

    def __init__(self, subscriber: Any, subscription: str) -> None:
        self._subscriber = subscriber
        self._subscription = subscription
        self._call: Any = None

    async def next(self) -> Any:
        """Wait for the next message, without a time limit."""
        while True:
            if self._call is None:
                self._call = await self._subscriber.streaming_pull(self._requests())
            try:
                response = await self._call.read()
            except _ENDS:
                response = grpc.aio.EOF
            if response is grpc.aio.EOF:
                self.close()
                await asyncio.sleep(_PAUSE_SECONDS)
            elif response.received_messages:
                return response.received_messages[0]

    def close(self) -> None:
        """Close the stream. Idempotent."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    async def _requests(self) -> AsyncIterator[StreamingPullRequest]:
        yield StreamingPullRequest(
            subscription=self._subscription, stream_ack_deadline_seconds=60, max_outstanding_messages=1
        )
        await asyncio.Event().wait()  # a request stream that ends would end the call


class Canary:
    """Create topics and subscriptions, and check the messages of an ordering key after a dead letter.

    Args:
        project: The project's id.
        project_number: The project's number, to grant the service agent its roles; "" if it has them.
        timeout_seconds: Maximum wait for each message.
    """

    def __init__(self, project: str, project_number: str, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._agent = f"serviceAccount:service-{project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
        self._grants = bool(project_number)
        name = f"dead-letter-canary-{uuid.uuid4().hex}"
        self.topic, self.dead_topic = (f"projects/{project}/topics/{name}{end}" for end in ("", "-dead"))
        self.subscription, self.dead_subscription = (
            f"projects/{project}/subscriptions/{name}{end}" for end in ("", "-dead")
        )

    async def run(self) -> list[str]:
        """Run the canary; return its observations, one per line.

        Raises:
            CanaryError: The first message did not become a dead letter, or a later one did not arrive.
            GoogleAPICallError: A call to Pub/Sub failed.
        """
        async with AsyncExitStack() as stack:
            publisher, subscriber = await stack.enter_async_context(_clients())
            await self._make(publisher, subscriber, stack)
            await self._publish(publisher, "first", "second")
            messages = _Messages(subscriber, self.subscription)
            stack.callback(messages.close)
            second = await self._refuse_first(messages, subscriber)
            if not await self._has_dead_letter(subscriber):
                raise CanaryError("the first message is lost: not delivered again, and not a dead letter")
            await subscriber.acknowledge(
                subscription=self.subscription, ack_ids=[second.ack_id], timeout=_CALL_SECONDS
            )
            await self._publish(publisher, "third")
            await self._take_third(messages)
        return [
            "the first message became a dead letter",
            "the second, which waited behind it, arrived",
            "the third, published afterwards on the same key, arrived: the key goes on",
        ]

    async def _make(self, publisher: Any, subscriber: Any, stack: AsyncExitStack) -> None:
        for topic in (self.topic, self.dead_topic):
            await publisher.create_topic(Topic(name=topic), timeout=_CALL_SECONDS)
            stack.push_async_callback(_quietly, publisher.delete_topic, topic=topic)
        policy = {"dead_letter_topic": self.dead_topic, "max_delivery_attempts": ATTEMPTS}
        common = {
            "enable_message_ordering": True,
            "expiration_policy": {"ttl": _LIFE},
            "message_retention_duration": _LIFE,  # at most the ttl
        }
        for fields in (
            {"name": self.dead_subscription, "topic": self.dead_topic, **common},
            {"name": self.subscription, "topic": self.topic, "dead_letter_policy": policy, **common},
        ):
            await subscriber.create_subscription(Subscription(fields), timeout=_CALL_SECONDS)
            stack.push_async_callback(
                _quietly, subscriber.delete_subscription, subscription=str(fields["name"])
            )
        if self._grants:
            await _grant(publisher, self.dead_topic, "roles/pubsub.publisher", self._agent)
            await _grant(subscriber, self.subscription, "roles/pubsub.subscriber", self._agent)

    async def _publish(self, publisher: Any, *texts: str) -> None:
        messages = [PubsubMessage(data=text.encode(), ordering_key=KEY) for text in texts]
        await publisher.publish(topic=self.topic, messages=messages, timeout=_CALL_SECONDS)

    async def _refuse_first(self, messages: _Messages, subscriber: Any) -> Any:
        """Nack the first message until another one arrives, and return that one."""
        received: Any = None
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_seconds):
                while (received := await messages.next()).message.data == b"first":
                    await subscriber.modify_ack_deadline(
                        subscription=self.subscription,
                        ack_ids=[received.ack_id],
                        ack_deadline_seconds=0,
                        timeout=_CALL_SECONDS,
                    )
                return received
        if await self._has_dead_letter(subscriber):
            raise CanaryError(
                "the key stalls: its first message became a dead letter, and the second did not arrive within"
                f" {self._timeout_seconds:g} s"
            )
        raise CanaryError(
            f"the first message did not become a dead letter within {self._timeout_seconds:g} s: Pub/Sub's"
            " service agent needs roles/pubsub.publisher on the dead-letter topic and roles/pubsub.subscriber"
            " on the subscription; --project-number grants both"
        )

    async def _take_third(self, messages: _Messages) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_seconds):
                await messages.next()
                return
        raise CanaryError(
            "the key stalls: what was published on it after the dead letter did not arrive within"
            f" {self._timeout_seconds:g} s"
        )

    async def _has_dead_letter(self, subscriber: Any) -> bool:
        try:
            response = await subscriber.pull(
                subscription=self.dead_subscription, max_messages=1, timeout=_PULL_SECONDS, retry=None
            )
        except DeadlineExceeded:
            return False
        return bool(response.received_messages)


@asynccontextmanager
async def _clients() -> AsyncIterator[tuple[Any, Any]]:
    """Create clients for the emulator of PUBSUB_EMULATOR_HOST, or for Google Cloud."""
    address = os.environ.get("PUBSUB_EMULATOR_HOST")
    if not address:
        yield PublisherAsyncClient(), SubscriberAsyncClient()
        return
    async with grpc.aio.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        yield (
            PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel)),
            SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel)),
        )


async def _grant(client: Any, resource: str, role: str, member: str) -> None:
    policy = Policy(bindings=[Binding(role=role, members=[member])])
    await client.set_iam_policy(SetIamPolicyRequest(resource=resource, policy=policy), timeout=_CALL_SECONDS)


async def _quietly(delete: Any, **name: str) -> None:
    """Delete a resource; ignore an error, so that the others are deleted too."""
    with suppress(GoogleAPICallError):
        await delete(**name, timeout=_CALL_SECONDS)
