"""Whatever consumers do, in whatever order, a key's messages stay in order and none is lost."""

import gc
import itertools
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pubsub_emulator import ManualClock, wire
from pubsub_emulator.broker.catalog import SWEEP_SECONDS, Catalog
from pubsub_emulator.broker.dispatch.ordering_lane import Lane, QueuedMessage
from pubsub_emulator.broker.dispatch.receiver import Receiver
from pubsub_emulator.errors import STALE
from tests.pubsub_emulator.bus import Bus

TOPIC, SUBSCRIPTION = "projects/test/topics/topic", "projects/test/subscriptions/subscription"
ACTIONS = ("publish", "take", "pull", "acknowledge", "acknowledge_late", "refuse", "wait", "reconnect")
STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 2)), max_size=60)


class Course:
    """A course of events, and what must be so of each key: a message waits, or is held, or is settled."""

    def __init__(self, backoff_seconds: int | None) -> None:
        self.clock = ManualClock(now=1_800_000_000)
        catalog = Catalog(self.clock)
        self.topic = catalog.create_topic(wire.Topic(name=TOPIC))
        config = wire.Subscription(name=SUBSCRIPTION, topic=TOPIC, enable_message_ordering=True)
        if backoff_seconds is not None:
            config.retry_policy.minimum_backoff.seconds = backoff_seconds
        self.subscription = catalog.create_subscription(config)
        self.streams = [self._open() for _ in range(3)]
        self.waiting: dict[str, set[int]] = {}
        self.held: dict[str, tuple[str, int]] = {}
        self.held_by: dict[str, Receiver] = {}
        self.late: dict[str, tuple[str, int]] = {}
        self._numbers = itertools.count()

    def publish(self, choice: int) -> None:
        number = next(self._numbers)
        self.topic.publish([wire.PubsubMessage(data=str(number).encode(), ordering_key=str(choice))])
        self.waiting.setdefault(str(choice), set()).add(number)

    def take(self, choice: int) -> None:
        self._take(self.streams[choice])

    def pull(self, _: int) -> None:
        consumer = Receiver(stays=False)
        self.subscription.open(consumer)
        self._take(consumer)
        self.subscription.close(consumer)

    def reconnect(self, choice: int) -> None:
        """What a stream held goes back; until it is handed out again, it may be acknowledged in order."""
        self._close(self.streams[choice])
        self.streams[choice] = self._open()

    def acknowledge_late(self, choice: int) -> None:
        for ack_id in list(self.late)[choice : choice + 1]:
            key, number = self.late.pop(ack_id)
            outstanding = [n for k, n in self.held.values() if k == key]
            if not outstanding and number == min(self.waiting[key]):
                assert self.subscription.acknowledge([ack_id]) == {}
                self.waiting[key].remove(number)
            else:
                assert self.subscription.acknowledge([ack_id]) == {ack_id: STALE}

    def wait(self, _: int) -> None:
        """Let every lease run out."""
        self.clock.advance(11)
        for key, number in list(self.held.values()):
            self._back(key, number)

    def refuse(self, choice: int) -> None:
        for ack_id in list(self.held)[choice : choice + 1]:
            key, number = self.held[ack_id]
            assert self.subscription.modify_deadline([ack_id], 0) == {}
            self._back(key, number)

    def acknowledge(self, choice: int) -> None:
        """Acknowledge in order, as the model of a key demands."""
        for ack_id in list(self.held)[choice : choice + 1]:
            key, number = self.held[ack_id]
            if number == min(n for k, n in self.held.values() if k == key):
                assert self.subscription.acknowledge([ack_id]) == {}
                del self.held[ack_id]

    def end(self) -> None:
        """Receive and acknowledge what is left."""
        for stream in self.streams:
            self._close(stream)
        for _ in range(1000):
            self.wait(0)
            self.clock.advance(600)  # the longest backoff
            self.pull(0)
            if not self.held:
                break
            assert self.subscription.acknowledge(self.held) == {}
            self.held.clear()

    def _open(self) -> Receiver:
        stream = Receiver(max_messages=4)
        self.subscription.open(stream)
        return stream

    def _close(self, stream: Receiver) -> None:
        self.subscription.close(stream)
        for ack_id in [each for each in self.held if self.held_by[each] is stream]:
            if ack_id in self.held:
                key, number = self.held[ack_id]
                self._back(key, number)
                self.late[ack_id] = (key, number)

    def _take(self, consumer: Receiver) -> None:
        """What comes of a key is the first that waits."""
        for delivery in self.subscription.take(consumer, 3):
            raw = delivery.message.parse()
            key, number = raw.ordering_key, int(raw.data)
            assert number == min(self.waiting[key])
            self.waiting[key].remove(number)
            self.held[delivery.ack_id] = (key, number)
            self.held_by[delivery.ack_id] = consumer
            self.late = {ack_id: late for ack_id, late in self.late.items() if late != (key, number)}

    def _back(self, key: str, number: int) -> None:
        """A message that goes back takes along what came after it."""
        back = [ack_id for ack_id, (k, n) in self.held.items() if k == key and n >= number]
        self.waiting[key].update(self.held.pop(ack_id)[1] for ack_id in back)


@settings(max_examples=200)
@given(steps=STEPS, backoff_seconds=st.sampled_from((None, 5)))
def test_any_course_of_events_keeps_order_and_loses_nothing(
    steps: list[tuple[str, int]], backoff_seconds: int | None
) -> None:
    """After any publishing, taking, refusing, waiting and reconnecting, all is received, in order."""
    course = Course(backoff_seconds)

    for action, choice in steps:
        getattr(course, action)(choice)
    course.end()

    assert course.subscription.unacknowledged() == []
    assert not any(course.waiting.values())


async def test_what_everybody_acknowledged_costs_no_memory(timed_bus: Bus) -> None:
    """Neither messages nor ordering keys are remembered once they are done with."""
    before = _alive()
    topic = await timed_bus.topic()
    names = [await timed_bus.subscription(topic, enable_message_ordering=True) for _ in range(2)]
    for n in range(300):
        await timed_bus.publish(topic, "0", "1", key=str(n))
    assert _alive() == before + 2 * (300 + 600)

    for name in names:
        await timed_bus.consume(name, 600)

    assert _alive() == before


def _alive() -> int:
    gc.collect()
    kept: list[Any] = [thing for thing in gc.get_objects() if type(thing) in (QueuedMessage, Lane)]
    return len(kept)


async def test_what_outlived_its_retention_costs_no_memory(timed_bus: Bus, clock: ManualClock) -> None:
    """It is forgotten within a minute, again and again, though nobody publishes or pulls."""
    before = _alive()
    topic = await timed_bus.topic()
    fields = {"message_retention_duration": timedelta(minutes=10)}
    await timed_bus.subscription(topic, enable_message_ordering=True, **fields)
    for _ in range(3):
        await timed_bus.publish(topic, "0", "1", key="k")
        await timed_bus.publish(topic, "0", "1")
        assert _alive() > before

        clock.advance(600 + SWEEP_SECONDS + 1)

        assert _alive() == before
