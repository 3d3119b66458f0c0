"""Order and isolation hold whatever Pub/Sub answers."""

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_store.errors import FieldViolation, InvalidArgumentError, UnavailableError
from event_store.outbox import publish_loop
from event_store.outbox.publish_loop import UNORDERED_LANES, Pending, PublishLoop
from event_store.outbox.relay_lease import RelayLease
from event_store.outbox.watermark import Publication, Watermark
from event_store.pubsub.messages_pb2 import PublishRequest, PubsubMessage
from event_store.pubsub.publisher import REQUEST_BYTES, REQUEST_MESSAGES, Publisher

KEYS = ("", "a", "b", "c")


class _Bus(Publisher):
    """Takes messages, refuses some for ever, and is away at times that a test draws; the settlement too."""

    def __init__(
        self,
        refused: Sequence[int] | set[int] = (),
        outages: Sequence[bool] = (),
        *,
        is_blocking: bool = False,
    ) -> None:
        super().__init__()
        self.refused = set(refused)
        self.outages = list(outages)
        self.is_blocking = is_blocking
        self.blocked: set[str] = set()
        self.published: dict[str, list[int]] = defaultdict(list)
        self.parked: list[int] = []
        self.in_flight: set[str] = set()
        self.settlements = asyncio.Semaphore(0)

    async def publish(self, _topic: str, messages: Sequence[Any], _timeout_seconds: float) -> None:
        keys = {message.ordering_key for message in messages}
        numbers = [int(message.data) for message in messages]
        (key,) = keys
        assert not key or key not in self.in_flight, "two requests of a key at once"
        assert len(messages) <= 1000
        self.in_flight.add(key)
        await asyncio.sleep(0)
        self.in_flight.discard(key)
        is_away, is_lost = (self.outages.pop() if self.outages else False for _ in range(2))
        if is_away:
            raise UnavailableError("away")
        if not self.refused.isdisjoint(numbers):
            raise InvalidArgumentError(FieldViolation("message", "refused"))
        self.published[key] += numbers
        if is_lost:
            raise UnavailableError("the answer was lost")

    async def park(self, pending: Pending, _error: InvalidArgumentError) -> None:
        await asyncio.sleep(0)  # as a statement would
        self.parked.append(int(pending.message.data))
        if self.is_blocking and pending.message.ordering_key:
            self.blocked.add(pending.message.ordering_key)

    async def park_behind(self, request: Sequence[Pending]) -> bool:
        if request[0].message.ordering_key not in self.blocked:
            return False
        self.parked += [int(pending.message.data) for pending in request]
        return True

    def settled(self, request: Sequence[Pending]) -> None:
        for _ in request:
            self.settlements.release()

    async def until_settled(self, messages: int) -> None:
        for _ in range(messages):
            await self.settlements.acquire()


class _CountingBus(_Bus):
    """Moves a watermark, and knows when the log is published up to `last_position`."""

    def __init__(self, last_position: int, refused: set[int], outages: list[bool], **kind: bool) -> None:
        super().__init__(refused, outages, **kind)
        self.watermark = Watermark(0, ["topic"])
        self.last_position = last_position
        self.is_done = asyncio.Event()

    def settled(self, request: Sequence[Pending]) -> None:
        for pending in request:
            number, key = pending.publication.position, pending.message.ordering_key
            assert number > self.watermark.position, "the watermark passed an unsettled message"
            assert number in self.parked or number in self.published[key], "not there yet"
            self.watermark.settle(pending.publication)
        if self.watermark.position == self.last_position:
            self.is_done.set()


def _publish_loop(bus: _Bus, workers: int = 8) -> PublishLoop:
    """Return a loop whose lease lasts; it needs no database."""
    connection = cast("Any", None)
    lease = RelayLease(connection=connection, epoch=1, expires_at=math.inf, position=0, topic_positions={})
    return PublishLoop(lease, bus, bus, workers)


@asynccontextmanager
async def _running(sending: PublishLoop) -> AsyncIterator[None]:
    """Run a publish loop until the test is done with it."""
    stopping = asyncio.Event()

    async def read() -> NoReturn:
        while True:
            await asyncio.Event().wait()

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(sending.run(stopping, read()))
        yield
        stopping.set()


async def _send(bus: _CountingBus, keys: list[str]) -> int:
    """Send a message for each key, numbered from 1; return the watermark when all is settled."""
    sending = _publish_loop(bus, workers=3)
    async with _running(sending):
        for number, key in enumerate(keys, 1):
            message = PubsubMessage(data=str(number).encode(), ordering_key=key)
            bus.watermark.advance()
            publication = bus.watermark.begin("topic")
            assert publication is not None
            sending.add(message, "id", publication)
        await bus.is_done.wait()
    assert (sending.pending_messages, sending.pending_bytes, len(sending._lanes)) == (0, 0, 0)
    return bus.watermark.position


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=40),
    st.sets(st.integers(1, 40), max_size=6),
    st.lists(st.booleans(), max_size=12),
)
def test_every_message_is_published_in_the_order_of_its_key_or_parked(
    keys: list[str], refused: set[int], outages: list[bool]
) -> None:
    """What can be published is, in order; exactly what cannot is parked; nothing is lost."""
    bus = _CountingBus(len(keys), refused, outages)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(publish_loop, "_FIRST_WAIT_SECONDS", 0.0001)
        patched.setattr(publish_loop, "_LONGEST_WAIT_SECONDS", 0.001)
        assert asyncio.run(_send(bus, keys)) == len(keys)

    numbers = set(range(1, len(keys) + 1))
    assert sorted(bus.parked) == sorted(refused & numbers)
    assert {n for published in bus.published.values() for n in published} == numbers - refused
    for key, published in bus.published.items():
        first = list(dict.fromkeys(published))
        assert not key or first == sorted(first)


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=40),
    st.sets(st.integers(1, 40), max_size=6),
    st.lists(st.booleans(), max_size=12),
)
def test_what_follows_in_a_blocked_key_is_parked_in_its_order(
    keys: list[str], refused: set[int], outages: list[bool]
) -> None:
    """Of each key that is published which comes before the first refusal, and nothing of another waits."""
    bus = _CountingBus(len(keys), refused, outages, is_blocking=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(publish_loop, "_FIRST_WAIT_SECONDS", 0.0001)
        patched.setattr(publish_loop, "_LONGEST_WAIT_SECONDS", 0.001)
        assert asyncio.run(_send(bus, keys)) == len(keys)

    for key in set(keys):
        numbers = [number for number, each in enumerate(keys, 1) if each == key]
        first_refused = min(refused.intersection(numbers), default=len(keys) + 1)
        published = list(dict.fromkeys(bus.published[key]))
        parked = [number for number in bus.parked if keys[number - 1] == key]
        if key:
            assert published == [number for number in numbers if number < first_refused]
            assert parked == [number for number in numbers if number >= first_refused]
        else:
            assert set(published) == set(numbers) - refused


def test_one_refused_message_is_found_in_a_full_request() -> None:
    """Halving finds it in few requests; all its neighbours are published once."""
    bus = _CountingBus(1500, {777}, [])

    asyncio.run(_send(bus, ["a"] * 1500))

    assert bus.parked == [777]
    assert bus.published["a"] == [n for n in range(1, 1501) if n != 777]


def _message(number: int, key: str = "a") -> PubsubMessage:
    return PubsubMessage(data=str(number).encode(), ordering_key=key)


async def test_lanes_that_are_kept_back_fill_up_and_come_when_released() -> None:
    """Their messages go into one request each; a lane that is on its way goes on meanwhile."""
    requests: list[list[int]] = []

    class Counted(_Bus):
        async def publish(self, topic: str, messages: Sequence[Any], timeout_seconds: float) -> None:
            requests.append([int(message.data) for message in messages])
            await super().publish(topic, messages, timeout_seconds)

    bus = Counted()
    sending = _publish_loop(bus, workers=1)

    def add(number: int, key: str) -> None:
        sending.add(_message(number, key), "id", Publication("topic", number))

    async with _running(sending):
        add(1, "a")
        sending.keep_back()
        for number, key in ((2, "b"), (3, "a"), (4, "c"), (5, "b")):
            add(number, key)
        await bus.until_settled(2)
        assert requests == [[1, 3]]
        sending.release()
        sending.release()
        await bus.until_settled(3)
        add(6, "d")
        await bus.until_settled(1)

    assert requests == [[1, 3], [2, 5], [4], [6]]


async def _settle(bus: _Bus, messages: Sequence[PubsubMessage]) -> None:
    """Send messages until as many are settled."""
    sending = _publish_loop(bus)
    for number, message in enumerate(messages):
        sending.add(message, "id", Publication("topic", number))
    async with _running(sending):
        await bus.until_settled(len(messages))


async def test_after_a_refusal_a_lane_gets_back_to_full_requests() -> None:
    """Halving finds the refused message, and what follows is published in requests that double again."""
    sizes: list[int] = []

    class Counted(_Bus):
        async def publish(self, topic: str, messages: Sequence[Any], timeout_seconds: float) -> None:
            sizes.append(len(messages))
            await super().publish(topic, messages, timeout_seconds)

    await _settle(Counted({1}), [_message(number) for number in range(1, 5001)])

    halvings = doublings = 10  # from a thousand to one
    assert len(sizes) <= halvings + doublings + 5 + 1
    assert max(sizes[halvings:]) == REQUEST_MESSAGES


async def test_a_success_begins_a_lanes_waits_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that failed long ago waits as shortly at its next failure as at its first."""
    monkeypatch.setattr(publish_loop, "_FIRST_WAIT_SECONDS", 0.0001)
    monkeypatch.setattr(publish_loop, "_LONGEST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(publish_loop.Lane, "next_request", lambda lane: [lane.pending[0]])  # one at a time
    failures: list[int] = []
    answers = iter([UnavailableError("away"), UnavailableError("away"), None, None])

    class Failing(_Bus):
        async def publish(self, _topic: str, _messages: Sequence[Any], _timeout_seconds: float) -> None:
            failures.append(sending._lanes["topic", "a"].backoff._failures)
            if error := next(answers):
                raise error

    bus = Failing()
    sending = _publish_loop(bus)
    for number in (1, 2):
        sending.add(_message(number), "id", Publication("topic", number))
    async with _running(sending):
        await bus.until_settled(2)

    assert failures == [0, 1, 2, 0]


async def test_a_lane_that_fails_waits_before_it_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a Pub/Sub that is overloaded is not asked again at once."""
    monkeypatch.setattr(publish_loop, "_FIRST_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(publish_loop, "_LONGEST_WAIT_SECONDS", 0.2)
    times: list[float] = []

    class Timed(_Bus):
        async def publish(self, topic: str, messages: Sequence[Any], timeout_seconds: float) -> None:
            times.append(asyncio.get_running_loop().time())
            await super().publish(topic, messages, timeout_seconds)

    await _settle(Timed(outages=[False, True]), [_message(1)])

    assert times[1] - times[0] >= 0.1


@pytest.mark.parametrize(
    ("messages", "data_bytes", "requests"),
    [(198, 99_000, 2), (1000, 9_890, 2), (2, REQUEST_BYTES // 2 - 20, 2)],
)
async def test_a_request_is_filled_to_pubsubs_limit_in_bytes_and_not_beyond(
    messages: int, data_bytes: int, requests: int
) -> None:
    """With the topic's name and what each message takes; so none is refused for its size."""
    sizes: list[int] = []

    class Measured(_Bus):
        async def publish(self, topic: str, messages: Sequence[Any], _timeout_seconds: float) -> None:
            sizes.append(PublishRequest(topic="projects/p/" + topic * 40, messages=messages).ByteSize())

    await _settle(Measured(), [PubsubMessage(data=b"x" * data_bytes, ordering_key="a")] * messages)

    assert all(size <= REQUEST_BYTES for size in sizes)
    assert len(sizes) == requests


async def test_messages_without_a_key_do_not_wait_for_each_other() -> None:
    """They are spread over so many lanes, each with a request in flight."""
    together = asyncio.Barrier(UNORDERED_LANES)

    class Meeting(_Bus):
        async def publish(self, _topic: str, _messages: Sequence[Any], _timeout_seconds: float) -> None:
            await together.wait()

    await _settle(Meeting(), [PubsubMessage(data=b"1")] * UNORDERED_LANES)


async def test_an_outage_is_logged_once_and_counted_by_each_message(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often a lane tries; a message that is parked in the end tells of all its attempts."""
    monkeypatch.setattr(publish_loop, "_FIRST_WAIT_SECONDS", 0.0001)
    monkeypatch.setattr(publish_loop, "_LONGEST_WAIT_SECONDS", 0.001)
    attempts: list[int] = []

    class Counting(_Bus):
        async def park(self, pending: Pending, _error: InvalidArgumentError) -> None:
            attempts.append(pending.attempts)

    await _settle(Counting({1}, [False, True] * 4), [_message(1)])

    assert attempts == [4]
    assert [record.getMessage() for record in caplog.records] == ["cannot publish, retrying: away"]


async def test_keeping_back_again_keeps_what_was_kept_back() -> None:
    """All of it is published when it is released."""
    bus = _Bus()
    sending = _publish_loop(bus)
    async with _running(sending):
        for number, key in enumerate("ab", 1):
            sending.keep_back()
            sending.add(_message(number, key), "id", Publication("topic", number))
        sending.release()
        await bus.until_settled(2)

    assert bus.published == {"a": [1], "b": [2]}


async def test_a_key_that_is_blocked_is_parked_in_full_requests() -> None:
    """However small the request was that found the first message: a statement for each would take long."""
    sizes: list[int] = []

    class Counted(_Bus):
        async def park_behind(self, request: Sequence[Pending]) -> bool:
            is_blocked = await super().park_behind(request)
            sizes.extend([len(request)] * is_blocked)
            return is_blocked

    await _settle(Counted({1}, is_blocking=True), [_message(number) for number in range(1, 3001)])

    assert sizes == [1, 1000, 1000, 998]
