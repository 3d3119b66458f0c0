"""One subscription: its backlog, its leases and what becomes of a message that is not acknowledged.

Invariants:
- A message is waiting, or delayed for a retry, or leased under exactly one ack id, or gone.
- An ack id counts until it is used, its deadline passes, or a seek or an earlier message of its key
  takes the message back; after that it has no effect (exactly-once: it is reported).
- An attempt is counted when a delivery was refused or ran out of time, not when a message had to go
  back only because an earlier one of its key did.
"""

import itertools
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from local.pubsub.backlog import Backlog
from local.pubsub.deadlines import Deadlines
from local.pubsub.errors import STALE, UNORDERED, FailedPreconditionError, InvalidArgumentError, PubSubError
from local.pubsub.lane import Delivery, Lane
from local.pubsub.log import Log
from local.pubsub.settings import SubscriptionSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.pubsub.clock import Clock
    from local.pubsub.consumer import Consumer
    from local.pubsub.message import Message
    from local.pubsub.topic import Topic

DELETED_TOPIC = "_deleted-topic_"
_ACK_ID = re.compile(r"[0-9a-f]{8}:[0-9]+")

DeadLetter = Callable[["Subscription", Delivery], bool]
"""Publishes a message to the subscription's dead-letter topic; False if there is no such topic."""


class Subscription:
    """A subscription's state; every method is synchronous and whole.

    Args:
        config: The Subscription message, checked and completed by `settings`.
        settings: What `config` says.
        topic: Where its messages come from.
        clock: Whose time it is.
        dead_letter: See `DeadLetter`.
    """

    def __init__(
        self,
        config: Any,
        settings: SubscriptionSettings,
        topic: "Topic",
        clock: "Clock",
        dead_letter: DeadLetter,
    ) -> None:
        self.config = config
        self.settings = settings
        self.topic: Topic | None = topic
        self.backlog = Backlog()
        self._clock = clock
        self._dead_letter = dead_letter
        self._log = Log(settings.retention_seconds if settings.retain_acked else 0)
        self._leases: dict[str, Delivery] = {}
        self._deadlines: Deadlines[Delivery] = Deadlines(clock, self._expire)
        self._retries: Deadlines[Delivery] = Deadlines(clock, self._retry)
        self._ack_prefix = secrets.token_hex(4)
        self._lease_numbers = itertools.count(1)

    @property
    def name(self) -> str:
        """Its full resource name."""
        return str(self.config.name)

    def configure(self, config: Any, settings: SubscriptionSettings) -> None:
        """Behave differently from now on."""
        self.config, self.settings = config, settings
        self._log.retention_seconds = settings.retention_seconds if settings.retain_acked else 0
        self.trim()

    # Messages in

    def receive(self, messages: "Sequence[Message]", attributes: "Sequence[Mapping[str, str]]") -> None:
        """Take newly published messages, each with its attributes, as far as the filter lets them in."""
        if self.config.detached:
            return
        if self.settings.filter is not None:
            accepts = self.settings.filter
            pairs = zip(messages, attributes, strict=True)
            messages = [message for message, values in pairs if accepts(values)]
        self._log.extend(messages)
        self._queue(messages)

    def _queue(self, messages: "Iterable[Message]") -> None:
        plain: list[Delivery] = []
        touched: dict[Lane, None] = {}
        for message in messages:
            if self.settings.ordered and message.ordering_key:
                lane = self.backlog.lane(message.ordering_key)
                lane.waiting.append(Delivery(message, lane))
                touched[lane] = None
            else:
                plain.append(Delivery(message))
        for lane in touched:
            self.backlog.offer(lane)
        if plain:
            self.backlog.add(plain)

    # Messages out

    def open(self, consumer: "Consumer") -> None:
        """Let a consumer take messages from now on.

        Raises:
            FailedPreconditionError: The subscription is detached.
        """
        if self.config.detached:
            raise FailedPreconditionError(
                f"The subscription is detached from its topic (resource={self.name})."
            )
        self.backlog.join(consumer)

    def close(self, consumer: "Consumer") -> None:
        """Let a consumer go; what it holds stays leased until it is settled or expires."""
        self.backlog.leave(consumer)

    def take(self, consumer: "Consumer", limit: int, deadline_seconds: int = 0) -> list[Delivery]:
        """Lease what `consumer` may have now.

        Args:
            consumer: One that was opened.
            limit: At most so many messages.
            deadline_seconds: Of the leases; 0 for the subscription's.
        """
        now = self._clock.now()
        taken = self.backlog.take(consumer, limit, now - self.settings.retention_seconds)
        deadline = now + (deadline_seconds or self.settings.ack_deadline_seconds)
        for delivery in taken:
            delivery.ack_id = f"{self._ack_prefix}:{next(self._lease_numbers)}"
            delivery.slot = self._deadlines.add(delivery, deadline)
            self._leases[delivery.ack_id] = delivery
        return taken

    def write(self, deliveries: Iterable[Delivery], received_messages: Any) -> None:
        """Write leased messages as ReceivedMessages; attempts only with a dead-letter policy, as Google."""
        counted = self.settings.dead_letter_policy is not None
        for delivery in deliveries:
            received = received_messages.add(ack_id=delivery.ack_id)
            received.message.MergeFromString(delivery.message.payload)
            if counted:
                received.delivery_attempt = delivery.attempt

    # Settling

    def acknowledge(self, ack_ids: Iterable[str]) -> dict[str, str]:
        """Be done with messages.

        Returns:
            The ids that had no effect, with the reason in Google's words.

        Raises:
            InvalidArgumentError: An id is malformed. Those before it count.
        """
        failures: dict[str, str] = {}
        for ack_id in ack_ids:
            delivery = self._leases.get(ack_id)
            if delivery is None:
                failures[self._well_formed(ack_id)] = STALE
            elif (
                self.settings.exactly_once and delivery.lane and delivery.lane.outstanding[0] is not delivery
            ):
                failures[ack_id] = UNORDERED
            else:
                self._release(delivery)
                self._settle(delivery)
        return failures

    def modify_deadline(self, ack_ids: Iterable[str], seconds: int) -> dict[str, str]:
        """Move deadlines to `seconds` from now; 0 refuses the messages.

        Returns:
            The ids that had no effect, with the reason in Google's words.

        Raises:
            InvalidArgumentError: An id is malformed. Those before it count.
        """
        failures: dict[str, str] = {}
        for ack_id in ack_ids:
            delivery = self._leases.get(ack_id)
            if delivery is None:
                failures[self._well_formed(ack_id)] = STALE
            elif seconds:
                self._deadlines.withdraw(delivery, delivery.slot)
                delivery.slot = self._deadlines.add(delivery, self._clock.now() + seconds)
            else:
                self._return(delivery)
        return failures

    def _well_formed(self, ack_id: str) -> str:
        if _ACK_ID.fullmatch(ack_id) is None:
            raise InvalidArgumentError(
                f"You have passed an invalid ack ID to the service (ack_id={ack_id[:40]})."
            )
        return ack_id

    def _release(self, delivery: Delivery) -> None:
        """End a lease, if there is one."""
        if self._leases.pop(delivery.ack_id, None) is None:
            return
        self._deadlines.withdraw(delivery, delivery.slot)
        delivery.ack_id = ""
        if delivery.consumer is not None:
            delivery.consumer.release(delivery.message.size_bytes)
            delivery.consumer = None

    def _settle(self, delivery: Delivery) -> None:
        if delivery.lane is not None:
            delivery.lane.settle(delivery)
            self.backlog.offer(delivery.lane)

    def _expire(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.ack_id in self._leases:  # not if an earlier one of its key took it back just now
                self._return(delivery)

    def _return(self, delivery: Delivery) -> None:
        """A delivery failed: dead-letter the message, or deliver it again."""
        self._release(delivery)
        policy = self.settings.dead_letter_policy
        if policy and delivery.attempt >= policy.max_attempts and self._dead_letter(self, delivery):
            self._settle(delivery)
            return
        delay_seconds = self.settings.delay_seconds(delivery.attempt)
        delivery.attempt += 1
        lane = delivery.lane
        if lane is not None:
            for back in lane.rewind(delivery):
                self._release(back)
            lane.delayed = delay_seconds > 0
        if delay_seconds > 0:
            delivery.slot = self._retries.add(delivery, self._clock.now() + delay_seconds)
        else:
            self._retry([delivery])

    def _retry(self, deliveries: list[Delivery]) -> None:
        self.backlog.add([delivery for delivery in deliveries if delivery.lane is None])
        for delivery in deliveries:
            if delivery.lane is not None:
                delivery.lane.delayed = False
                self.backlog.offer(delivery.lane)

    # Replay

    def unacknowledged(self) -> "list[Message]":
        """Everything that is not acknowledged, in the order of publication."""
        every = itertools.chain(self.backlog, self._retries, self._leases.values())
        found = {delivery.message.sequence: delivery.message for delivery in every if not delivery.acked}
        return [found[sequence] for sequence in sorted(found)]

    def seek(self, time: float) -> None:
        """Mark what was published from `time` (seconds since 1970) on as unacknowledged, and only that."""
        self.trim()
        if self.topic is not None:
            self.topic.trim()
        retained: dict[int, Message] = {}
        for messages in (self.topic.log if self.topic else (), self._log, self.unacknowledged()):
            retained.update(
                (message.sequence, message) for message in messages if message.publish_time >= time
            )
        self.replace(retained[sequence] for sequence in sorted(retained))

    def replace(self, messages: "Iterable[Message]") -> None:
        """Let the backlog be `messages`, as far as the filter lets them in; every lease is void."""
        accepts = self.settings.filter
        kept = [message for message in messages if accepts is None or accepts(message.parse().attributes)]
        self.clear()
        self._queue(kept)

    def clear(self) -> None:
        """Forget every message and every lease."""
        for delivery in list(self._leases.values()):
            self._release(delivery)
        self._deadlines.clear()
        self._retries.clear()
        self.backlog.clear()

    def trim(self) -> None:
        """Forget what outlived its retention."""
        now = self._clock.now()
        self._log.trim(now)
        self.backlog.drop_older(now - self.settings.retention_seconds)

    # Ends

    def orphan(self) -> None:
        """Stay without a topic: it is deleted. The backlog stays too."""
        self.topic = None
        self.config.topic = DELETED_TOPIC

    def detach(self) -> None:
        """Leave the topic and the backlog, for good."""
        if self.topic is not None:
            self.topic.subscriptions.pop(self.name, None)
        self.config.detached = True
        self.clear()
        self.fail(
            FailedPreconditionError(f"The subscription is detached from its topic (resource={self.name}).")
        )

    def fail(self, failure: PubSubError) -> None:
        """End every stream and every waiting pull."""
        for consumer in list(self.backlog.consumers):
            consumer.fail(failure)
