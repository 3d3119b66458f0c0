"""Create a topology on a Pub/Sub emulator, for a set-up without Pulumi."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.api_core.exceptions import AlreadyExists, GoogleAPICallError
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import DeadLetterPolicy, ExpirationPolicy, RetryPolicy, Subscription, Topic

from event_store import topology
from event_store.errors import UnavailableError
from event_store.topology.subscription import DEAD_LETTER_RETENTION_SECONDS

_TIMEOUT_SECONDS = 10.0


def create_bus(declared: topology.Topology, project: str, address: str) -> Iterator[str]:
    """Create the missing topics and subscriptions; yield a line for a person about each one.

    Args:
        declared: The topology.
        project: The project's id.
        address: HOST:PORT of the emulator.

    Raises:
        UnavailableError: The emulator is unreachable, or rejects a request.
    """
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        for topic in declared.topics:
            yield _create(publisher.create_topic, _topic(topic, project))
        for subscription in declared.subscriptions:
            for request in _dead_letters(subscription, project):
                is_topic = isinstance(request, Topic)
                yield _create(publisher.create_topic if is_topic else subscriber.create_subscription, request)
            yield _create(subscriber.create_subscription, _subscription(subscription, project))


def _create(create: Callable[..., Any], request: Topic | Subscription) -> str:
    try:
        create(request=request, timeout=_TIMEOUT_SECONDS, retry=None)
    except AlreadyExists:
        return f"exists   {request.name}"
    except GoogleAPICallError as error:
        raise UnavailableError(
            f"the emulator did not create {request.name} ({error.message}): "
            "check that it runs at the address in PUBSUB_EMULATOR_HOST"
        ) from None
    return f"created  {request.name}"


def _topic(topic: topology.Topic, project: str) -> Topic:
    return Topic(
        name=f"projects/{project}/topics/{topic.name}",
        message_retention_duration=Duration(seconds=topic.message_retention_seconds),
    )


def _dead_letters(subscription: topology.Subscription, project: str) -> Iterator[Topic | Subscription]:
    name = subscription.dead_letter_name
    yield Topic(name=f"projects/{project}/topics/{name}")
    yield Subscription(
        name=f"projects/{project}/subscriptions/{name}",
        topic=f"projects/{project}/topics/{name}",
        message_retention_duration=Duration(seconds=DEAD_LETTER_RETENTION_SECONDS),
        expiration_policy=ExpirationPolicy(),  # never
    )


def _subscription(subscription: topology.Subscription, project: str) -> Subscription:
    return Subscription(
        name=f"projects/{project}/subscriptions/{subscription.physical_name}",
        topic=f"projects/{project}/topics/{subscription.topic}",
        ack_deadline_seconds=subscription.ack_deadline_seconds,
        message_retention_duration=Duration(seconds=subscription.message_retention_seconds),
        enable_message_ordering=subscription.enable_message_ordering,
        filter=subscription.filter,
        expiration_policy=ExpirationPolicy(),
        retry_policy=RetryPolicy(
            minimum_backoff=Duration(seconds=subscription.retry_policy.minimum_backoff_seconds),
            maximum_backoff=Duration(seconds=subscription.retry_policy.maximum_backoff_seconds),
        ),
        dead_letter_policy=DeadLetterPolicy(
            dead_letter_topic=f"projects/{project}/topics/{subscription.dead_letter_name}",
            max_delivery_attempts=subscription.max_delivery_attempts,
        ),
    )
