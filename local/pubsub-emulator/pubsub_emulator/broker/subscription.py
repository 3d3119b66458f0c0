"""A subscription: deliver each message from its publication to its acknowledgement.

Invariants:
- A message waits (backlog), is delayed for a retry, is leased to one consumer, or is removed.
- A stream's leases end with the stream.
- An attempt is counted after a nack or an expired deadline, but not for a message that is redelivered
  only because an earlier message of its key is.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pubsub_emulator.broker.dispatch.backlog import Backlog
from pubsub_emulator.broker.dispatch.deadlines import Deadlines
from pubsub_emulator.broker.dispatch.leases import Leases
from pubsub_emulator.broker.dispatch.ordering_lane import Lane, QueuedMessage
from pubsub_emulator.broker.retention_log import RetentionLog
from pubsub_emulator.broker.settings import SubscriptionSettings
from pubsub_emulator.errors import STALE, UNORDERED, FailedPreconditionError, PubSubError

if TYPE_CHECKING:
    from pubsub_emulator.broker.clock import Clock
    from pubsub_emulator.broker.dead_letters import DeadLetters
    from pubsub_emulator.broker.dispatch.receiver import Receiver
    from pubsub_emulator.broker.message import Message
    from pubsub_emulator.broker.topic import Topic

DELETED_TOPIC = "_deleted-topic_"


class Subscription:
    """A subscription's state; every method is synchronous and atomic.

    Args:
        config: The Subscription message, checked and completed by `settings`.
        settings: The parsed settings of `config`.
        topic: The topic of its messages.
        clock: The server's clock.
        dead_letters: Publishes messages that reached the maximum number of attempts.
    """

    def __init__(
        self,
        config: Any,
        settings: SubscriptionSettings,
        topic: "Topic",
        clock: "Clock",
        dead_letters: "DeadLetters",
    ) -> None:
        self.config = config
        self.settings = settings
        self.topic: Topic | None = topic
        self._clock = clock
        self._dead_letters = dead_letters
        self._backlog = Backlog()
        self._leases = Leases(clock, self._expire)
        self._retries: Deadlines[QueuedMessage] = Deadlines(clock, self._retry)
        self._log = RetentionLog(settings.log_seconds)

    @property
    def name(self) -> str:
        """The full resource name."""
        return str(self.config.name)

    @property
    def tells_attempts(self) -> bool:
        """Whether deliveries have a `delivery_attempt`: only with dead-lettering, as at Google."""
        return self._dead_letters.target(self) is not None

    def configure(self, config: Any, settings: SubscriptionSettings) -> None:
        """Replace the settings."""
        self.config, self.settings = config, settings
        self._log.retention_seconds = settings.log_seconds
        self.trim()

    def receive(self, messages: "Sequence[Message]", attributes: Sequence[Mapping[str, str]]) -> None:
        """Queue newly published messages that pass the filter, each given with its attributes."""
        if self.settings.filter is not None:
            accepts = self.settings.filter
            pairs = zip(messages, attributes, strict=True)
            messages = [message for message, values in pairs if accepts(values)]
        self._log.extend(messages)
        self._queue(messages)

    def _queue(self, messages: "Iterable[Message]") -> None:
        plain: list[QueuedMessage] = []
        touched: dict[Lane, None] = {}
        for message in messages:
            if self.settings.ordered and message.ordering_key:
                lane = self._backlog.lane(message.ordering_key)
                lane.waiting.append(QueuedMessage(message, lane))
                touched[lane] = None
            else:
                plain.append(QueuedMessage(message))
        for lane in touched:
            self._backlog.offer(lane)
        if plain:
            self._backlog.add(plain)

    def open(self, consumer: "Receiver") -> None:
        """Add a consumer, which may then take messages.

        Raises:
            FailedPreconditionError: The subscription is detached.
        """
        if self.config.detached:
            raise self._detached()
        self._backlog.join(consumer)

    def close(self, consumer: "Receiver") -> None:
        """Remove a consumer; it is handed nothing more. Idempotent.

        Leases of a stream or push loop end as if their deadlines had passed; those of a pull continue.
        """
        self._backlog.leave(consumer)
        if not consumer.stays:
            return
        held = [(delivery, delivery.ack_id) for delivery in self._leases.held_by(consumer)]
        self._expire([delivery for delivery, _ in held])
        for delivery, ack_id in held:
            if not delivery.acked:  # otherwise it became a dead letter
                self._leases.keep_late(delivery, ack_id)

    def take(self, consumer: "Receiver", limit: int, deadline_seconds: int = 0) -> list[QueuedMessage]:
        """Lease the messages that `consumer` may have now.

        Args:
            consumer: A consumer that was added with `open`.
            limit: Maximum number of messages.
            deadline_seconds: Ack deadline of the leases; 0 uses the subscription's.
        """
        oldest = self._clock.now() - self.settings.retention_seconds
        taken = self._backlog.take(consumer, limit, oldest)
        self._leases.grant(taken, deadline_seconds or self.settings.ack_deadline_seconds)
        return taken

    def write(self, deliveries: Iterable[QueuedMessage], received_messages: Any) -> None:
        """Append leased messages to a response's ReceivedMessages."""
        counted = self.tells_attempts
        for delivery in deliveries:
            received = received_messages.add(ack_id=delivery.ack_id)
            received.message.MergeFromString(delivery.message.payload)
            if counted:
                received.delivery_attempt = delivery.attempt

    def acknowledge(self, ack_ids: Iterable[str]) -> dict[str, str]:
        """Acknowledge messages.

        Returns:
            The ids that had no effect, with Google's reason code.

        Raises:
            InvalidArgumentError: An id is malformed; the ids before it took effect.
        """
        failures: dict[str, str] = {}
        for ack_id in ack_ids:
            delivery = self._leases.find(ack_id)
            if delivery is None:
                if not self._acknowledge_late(ack_id):
                    failures[ack_id] = STALE
            elif self.settings.exactly_once and delivery.lane and not delivery.lane.is_first(delivery):
                failures[ack_id] = UNORDERED
            else:
                self._leases.end(delivery)
                self._settle(delivery)
        return failures

    def modify_deadline(self, ack_ids: Iterable[str], seconds: int) -> dict[str, str]:
        """Move deadlines to `seconds` from now; 0 nacks the messages.

        Returns:
            The ids that had no effect, with Google's reason code.

        Raises:
            InvalidArgumentError: An id is malformed; the ids before it took effect.
        """
        failures: dict[str, str] = {}
        for ack_id in ack_ids:
            delivery = self._leases.find(ack_id)
            if delivery is None:
                failures[ack_id] = STALE
            elif seconds:
                self._leases.extend(delivery, seconds)
            else:
                holder = delivery.consumer
                self._return(delivery)
                if holder is not None:
                    holder.on_refusal()
        return failures

    def _settle(self, delivery: QueuedMessage) -> None:
        delivery.acked = True
        if delivery.lane is not None:
            delivery.lane.settle(delivery)
            self._backlog.offer(delivery.lane)

    def _acknowledge_late(self, ack_id: str) -> bool:
        """Acknowledge a message by a late id, unless that would break its key's order."""
        delivery = self._leases.find_late(ack_id)
        if delivery is None or (delivery.lane is not None and not delivery.lane.drop(delivery)):
            return False
        delivery.acked, delivery.late_id = True, ""
        if delivery.lane is not None:
            self._backlog.offer(delivery.lane)
        return True

    def _expire(self, deliveries: list[QueuedMessage]) -> None:
        for delivery in deliveries:
            if delivery.ack_id:  # else an earlier one of its key took it back just now
                self._return(delivery)

    def _return(self, delivery: QueuedMessage) -> None:
        """Dead-letter or redeliver a message after a failed delivery."""
        self._leases.end(delivery)
        policy = self.settings.dead_letter_policy
        if policy and delivery.attempt >= policy.max_attempts and self._dead_letters.publish(self, delivery):
            self._settle(delivery)
            return
        delay_seconds = self.settings.delay_seconds(delivery.attempt)
        delivery.attempt += 1
        lane = delivery.lane
        if lane is not None:
            for back in lane.rewind(delivery):
                self._leases.end(back)
            lane.delayed = delivery if delay_seconds > 0 else None
        if delay_seconds > 0:
            self._retries.add(delivery, self._clock.now() + delay_seconds)
        else:
            self._retry([delivery])

    def _retry(self, deliveries: list[QueuedMessage]) -> None:
        self._backlog.add([delivery for delivery in deliveries if delivery.lane is None])
        for delivery in deliveries:
            lane = delivery.lane
            if lane is not None:
                lane.delayed = None if lane.delayed is delivery else lane.delayed
                self._backlog.offer(lane)

    def unacknowledged(self) -> "list[Message]":
        """Return every unacknowledged message, in the order of publication."""
        every = itertools.chain(self._backlog, self._retries, self._leases)
        return _in_order(delivery.message for delivery in every if not delivery.acked)

    def seek(self, time: float) -> None:
        """Make exactly the messages published since `time` (seconds since 1970) unacknowledged."""
        self.trim()
        retained = itertools.chain(self._log, self.unacknowledged())
        if self.topic is not None:
            self.topic.trim()
            retained = itertools.chain(retained, self.topic.log)
        self.replace(_in_order(message for message in retained if message.publish_time >= time))

    def replace(self, messages: "Iterable[Message]") -> None:
        """Replace the backlog by the `messages` that pass the filter; end every lease."""
        accepts = self.settings.filter
        kept = [message for message in messages if accepts is None or accepts(message.parse().attributes)]
        self.clear()
        self._queue(kept)

    def clear(self) -> None:
        """Drop every message and end every lease."""
        self._leases.clear()
        self._retries.clear()
        self._backlog.clear()

    def trim(self) -> None:
        """Drop expired messages."""
        now = self._clock.now()
        self._log.trim(now)
        self._backlog.drop_older(now - self.settings.retention_seconds)

    def orphan(self) -> None:
        """Remove the reference to a deleted topic; the backlog remains."""
        self.topic = None
        self.config.topic = DELETED_TOPIC

    def detach(self) -> None:
        """Detach from the topic permanently, and drop the backlog."""
        if self.topic is not None:
            self.topic.subscriptions.pop(self.name, None)
        self.config.detached = True
        self.clear()
        self.fail(self._detached())

    def fail(self, failure: PubSubError) -> None:
        """End every stream and every waiting pull with an error."""
        for consumer in list(self._backlog.consumers):
            consumer.fail(failure)

    def _detached(self) -> FailedPreconditionError:
        return FailedPreconditionError(f"The subscription is detached from its topic (resource={self.name}).")


def _in_order(messages: "Iterable[Message]") -> "list[Message]":
    """Remove duplicates, and sort messages by publication."""
    found = {message.sequence: message for message in messages}
    return [found[sequence] for sequence in sorted(found)]
