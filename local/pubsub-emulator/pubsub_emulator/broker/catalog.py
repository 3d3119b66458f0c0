"""All resources of the server by name; the only place that creates and deletes them."""

import itertools
import uuid
from typing import TYPE_CHECKING, Any

from pubsub_emulator.broker.clock import Clock, Timer
from pubsub_emulator.broker.dead_letters import DeadLetters, ServiceAgent
from pubsub_emulator.broker.limits import check_name
from pubsub_emulator.broker.settings import SubscriptionSettings, TopicSettings
from pubsub_emulator.broker.snapshot import Snapshot
from pubsub_emulator.broker.subscription import DELETED_TOPIC, Subscription
from pubsub_emulator.broker.topic import Topic
from pubsub_emulator.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, PubSubError
from pubsub_emulator.schema.definition import ENCODINGS
from pubsub_emulator.schema.schema import DELETED_SCHEMA, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SWEEP_SECONDS = 60  # between two sweeps for expired messages, for topics and subscriptions without traffic


class Catalog:
    """Create, find and delete topics, subscriptions, snapshots, schemas and their IAM policies.

    Args:
        clock: The server's clock.
        service_agent: The service agent whose roles dead letters need; None if they need none.
    """

    def __init__(self, clock: Clock, service_agent: ServiceAgent | None = None) -> None:
        self.clock = clock
        self.topics: dict[str, Topic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.schemas: dict[str, Schema] = {}
        self.policies: dict[str, Any] = {}
        self._dead_letters = DeadLetters(self.topics, self.policies, service_agent)
        # Message ids start at the current time, so that they differ from those before a restart.
        self._sequence: Iterator[int] = itertools.count(int(clock.now() * 1e6))
        self._sweeper: Timer | None = None

    def start(self) -> None:
        """Start to drop expired messages and snapshots periodically."""
        self._sweeper = self.clock.call_at(self.clock.now() + SWEEP_SECONDS, self._sweep)

    def stop(self, reason: PubSubError) -> None:
        """End every stream and discard every message."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for subscription in self.subscriptions.values():
            subscription.fail(reason)
            subscription.clear()

    def topic(self, name: str) -> Topic:
        """Return a topic; raise NotFoundError or, if the name is malformed, InvalidArgumentError."""
        topic = self.topics.get(name)
        if topic is None:
            raise _missing(name, "topics")
        return topic

    def subscription(self, name: str) -> Subscription:
        """Return a subscription; raise NotFoundError or, if the name is malformed, InvalidArgumentError."""
        subscription = self.subscriptions.get(name)
        if subscription is None:
            raise _missing(name, "subscriptions")
        return subscription

    def snapshot(self, name: str) -> Snapshot:
        """Return a snapshot; raise NotFoundError if it does not exist or has expired.

        Raises InvalidArgumentError if the name is malformed.
        """
        snapshot = self.snapshots.get(name)
        if snapshot is None or snapshot.expires_at <= self.clock.now():
            raise _missing(name, "snapshots")
        return snapshot

    def create_topic(self, config: Any) -> Topic:
        """Create a topic from a Topic message."""
        settings = TopicSettings.parse(config)
        self.check_schema(config)
        if config.name in self.topics:
            raise AlreadyExistsError(config.name)
        topic = self.topics[config.name] = Topic(config, settings, self.clock, self._sequence)
        return topic

    def delete_topic(self, name: str) -> None:
        """Delete a topic; its subscriptions and snapshots remain without a topic."""
        topic = self.topic(name)
        for each in topic.subscriptions:
            self.subscriptions[each].orphan()
        for each in topic.snapshots:
            snapshot = self.snapshots[each]
            snapshot.topic, snapshot.config.topic = None, DELETED_TOPIC
        del self.topics[name]
        self.policies.pop(name, None)

    def create_subscription(self, config: Any) -> Subscription:
        """Create a subscription from a Subscription message; generate a name if it has none."""
        config.ClearField("detached")  # only the server sets it
        if not config.name:
            config.name = _new_name(self.topic(config.topic).name, "subscriptions")
        settings = SubscriptionSettings.parse(config)
        self.check_dead_letter_topic(settings)
        topic = self.topic(config.topic)
        if config.name in self.subscriptions:
            raise AlreadyExistsError(config.name)
        subscription = Subscription(config, settings, topic, self.clock, self._dead_letters)
        self.subscriptions[config.name] = subscription
        topic.subscriptions[config.name] = subscription.receive
        return subscription

    def check_dead_letter_topic(self, settings: SubscriptionSettings) -> None:
        """Reject a dead-letter topic that does not exist."""
        if settings.dead_letter_policy is not None:
            self.topic(settings.dead_letter_policy.topic)

    def delete_subscription(self, name: str) -> None:
        """Delete a subscription with its backlog."""
        subscription = self.subscription(name)
        subscription.fail(NotFoundError(name))
        subscription.clear()
        if subscription.topic is not None:
            subscription.topic.subscriptions.pop(name, None)
        del self.subscriptions[name]
        self.policies.pop(name, None)

    def create_snapshot(self, request: Any) -> Snapshot:
        """Take a snapshot of a subscription; generate a name if the request has none."""
        if request.name:
            check_name(request.name, "snapshots")
        subscription = self.subscription(request.subscription)
        request.name = request.name or _new_name(subscription.name, "snapshots")
        if request.name in self.snapshots:
            raise AlreadyExistsError(request.name)
        snapshot = self.snapshots[request.name] = Snapshot.take(request, subscription, self.clock.now())
        if snapshot.topic is not None:
            snapshot.topic.snapshots[request.name] = snapshot.messages
        return snapshot

    def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot with its messages."""
        snapshot = self.snapshot(name)
        if snapshot.topic is not None:
            snapshot.topic.snapshots.pop(name, None)
        del self.snapshots[name]
        self.policies.pop(name, None)

    def schema(self, name: str) -> Schema:
        """Return a schema; raise NotFoundError if it does not exist."""
        check_name(name, "schemas")
        schema = self.schemas.get(name)
        if schema is None:
            raise NotFoundError(name)
        return schema

    def create_schema(self, config: Any) -> Schema:
        """Create a schema from a Schema message."""
        schema = Schema(config, self.clock)
        if config.name in self.schemas:
            raise AlreadyExistsError(config.name)
        self.schemas[config.name] = schema
        return schema

    def delete_schema(self, name: str) -> None:
        """Delete a schema; its topics remain, and reject every message."""
        self.schema(name)
        for topic in self.topics.values():
            if topic.config.schema_settings.schema == name:
                topic.config.schema_settings.schema = DELETED_SCHEMA
        del self.schemas[name]
        self.policies.pop(name, None)

    def check_schema(self, config: Any, current: Any = None) -> None:
        """Reject schema settings with an unknown schema, revision or encoding.

        Args:
            config: The new Topic message.
            current: The current Topic message. Unchanged settings are not checked again, since
                their schema may have been deleted.
        """
        settings = config.schema_settings
        if not config.HasField("schema_settings") or (current and settings == current.schema_settings):
            return
        if settings.encoding not in ENCODINGS:
            raise InvalidArgumentError("Invalid schema_settings.encoding: it must be JSON or BINARY.")
        self.schema(settings.schema).check_range(settings.first_revision_id, settings.last_revision_id)

    def hold_to_schema(self, topic: Topic, messages: "Iterable[Any]") -> None:
        """Validate messages against a topic's range of revisions, and note the revision that each one fits.

        Raises:
            NotFoundError: The schema was deleted.
            InvalidArgumentError: A message fits no revision.
        """
        settings = topic.config.schema_settings
        if not settings.schema:
            return
        schema = self.schemas.get(settings.schema)
        if schema is None:
            raise NotFoundError(settings.schema)
        ends = settings.first_revision_id, settings.last_revision_id
        for message in messages:
            revision = schema.fitting(message.data, settings.encoding, *ends)
            if revision is None:
                raise InvalidArgumentError("Invalid data in message: Message failed schema validation.")
            message.attributes["googclient_schemaname"] = settings.schema
            message.attributes["googclient_schemaencoding"] = ENCODINGS[settings.encoding]
            message.attributes["googclient_schemarevisionid"] = revision.config.revision_id

    def _sweep(self) -> None:
        for topic in self.topics.values():
            topic.trim()
        for subscription in self.subscriptions.values():
            subscription.trim()
        now = self.clock.now()
        for name in [name for name, snapshot in self.snapshots.items() if snapshot.expires_at <= now]:
            expired = self.snapshots.pop(name)
            self.policies.pop(name, None)
            if expired.topic is not None:
                expired.topic.snapshots.pop(name, None)
        self.start()


def _missing(name: str, kind: str) -> NotFoundError:
    """Return the error for an unknown name; raise InvalidArgumentError if the name is malformed."""
    check_name(name, kind)
    return NotFoundError(name)


def _new_name(beside: str, kind: str) -> str:
    """Generate a name in the project of another resource."""
    return f"{beside.rsplit('/', 2)[0]}/{kind}/{kind[0]}{uuid.uuid4().hex}"
