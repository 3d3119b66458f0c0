"""A push request is answered 2xx when its event has had its effect, and an event arrives as it was stored."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from event_store.client.client import Client
from event_store.consumer.push import handle_push
from event_store.errors import InvalidArgumentError
from event_store.pubsub.received import recorded_event
from tests.event_store.consumer.words import PATIENCE_SECONDS, POISON, Words, append, read
from tests.pubsub_emulator.bus import Bus

EVENT = (
    b'{"event_id":"e","aggregate_id":"a","aggregate_type":"T\\u00e4","event_type":"t", "event_version": 2,'
    b'"event_data":{"n": 1.10000000000000000001, "t": "}\\",{"},"metadata":{},"occurred_at":'
    b'"2025-08-09T12:00:00.000001Z","created_at":"2025-08-09T12:00:01.000000Z","global_position":3}'
)


def test_an_event_arrives_as_it_was_stored() -> None:
    """Each field has its type, and JSON keeps its text to the last digit."""
    event = recorded_event(EVENT)

    assert event.event_data_json == b'{"n": 1.10000000000000000001, "t": "}\\",{"}'
    assert (event.metadata_json, event.aggregate_type) == (b"{}", "Tä")
    assert (event.event_version, event.global_position) == (2, 3)
    assert event.occurred_at == datetime(2025, 8, 9, 12, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("data", [b"", b"x", b"[]", b"{", b"{}", b'{"a":1', b"\xff", EVENT[:-5], b"[" * 9999])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    """Whatever a stranger publishes, the error is one of ours."""
    with pytest.raises(InvalidArgumentError, match=r"message\.data: is not an event of the event store"):
        recorded_event(data)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", {"message": 1}, {"message": {"data": "?"}}])
async def test_what_is_no_push_request_is_answered_with_a_failure(body: Any, words: Words) -> None:
    """Nothing is handled."""
    assert not await handle_push(body, words.projection(None).handle)  # type: ignore[arg-type] # never used
    assert words.seen == []


_DEEP = 100_000
_NUMBERS = st.sampled_from(
    ["9" * 5000, "-" + "9" * 5000, "1e999", "-1e999", "NaN", "Infinity", "1e-9999", "0.5"]
)
_TEXTS = st.sampled_from(
    ['"\\ud800"', '"\\u0000"', '"' + "x" * 70_000 + '"', '"9999-12-31T23:59:59-14:00"', '""']
)
_NESTED = st.sampled_from(["[" * _DEEP, '{"a":' * _DEEP, "[" * _DEEP + "]" * _DEEP])
_JSON = st.one_of(
    _NUMBERS,
    _TEXTS,
    _NESTED,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ).map(json.dumps),
)
_FIELDS = tuple(json.loads(EVENT))


@st.composite
def _events(draw: st.DrawFn) -> bytes:
    """An event of which some fields are something else, or missing."""
    fields = {name: json.dumps(value) for name, value in json.loads(EVENT).items()}
    for name in draw(st.sets(st.sampled_from(_FIELDS), min_size=1, max_size=2)):
        value = draw(st.none() | _JSON)
        if value is None:
            del fields[name]
        else:
            fields[name] = value
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}").encode()


@st.composite
def _requests(draw: st.DrawFn) -> str:
    """A push request of which a part is something else."""
    data = draw(_events() | st.just(EVENT) | st.binary())
    text = draw(_JSON | st.just(json.dumps(base64.b64encode(data).decode())))
    message = draw(_JSON | st.just(f'{{"data":{text}}}'))
    return f'{{"message":{message},"deliveryAttempt":{draw(_JSON | st.just("1"))}}}'


@settings(max_examples=400, derandomize=True)
@given(body=st.one_of(_requests(), _requests().map(str.encode), _JSON, st.binary(), st.text()))
@example(body='{"message":' + "[" * _DEEP)
@example(body='{"message":{"data":"e30="},"deliveryAttempt":1e999}')
@example(body="9" * 5000)
@example(body=None)
@example(body=5)
@example(body={"message": {"data": "e30="}, "deliveryAttempt": float("inf")})
@example(body={"message": {"data": "\ud800"}, "deliveryAttempt": "x"})
def test_no_body_makes_a_push_raise(body: Any) -> None:
    """Recursion, overflow, wrong encodings: the answer is that it was not taken, or an event that was."""
    events: list[Any] = []

    async def handler(event: Any, attempt: int) -> None:
        events.append((event, attempt))

    accepted = asyncio.run(handle_push(body, handler))

    assert accepted is bool(events)
    for event, attempt in events:
        assert isinstance(attempt, int)
        assert 1 <= event.event_version < 2**31
        assert 1 <= event.global_position < 2**63
        assert isinstance(event.occurred_at, datetime)
        assert all(isinstance(getattr(event, f"{name}_type"), str) for name in ("aggregate", "event"))


async def test_a_push_whose_handler_is_cancelled_within_is_answered_with_a_failure() -> None:
    """Only the cancellation of the endpoint itself goes through."""
    body = {"message": {"data": base64.b64encode(EVENT)}}
    begun = asyncio.Event()

    async def cancelled(_event: Any, _attempt: int) -> None:
        raise asyncio.CancelledError

    async def waiting(_event: Any, _attempt: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    assert not await handle_push(body, cancelled)
    endpoint = asyncio.create_task(handle_push(body, waiting))
    await begun.wait()
    endpoint.cancel()
    with pytest.raises(asyncio.CancelledError):
        await endpoint


async def test_a_push_is_accepted_once_its_event_has_had_its_effect(
    bus: Bus, client: Client, words: Words
) -> None:
    """A real push endpoint: an event, the same again, and one that is refused until it is a dead letter."""
    projection = words.projection(client)
    answers: list[tuple[int, bool]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        body = await reader.readexactly(length)
        accepted = await handle_push(body, projection.handle)
        answers.append((json.loads(body)["deliveryAttempt"], accepted))
        writer.write(f"HTTP/1.1 {204 if accepted else 503} x\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    aggregate_id = await append(client, "a", POISON)
    topic, dead_topic = await bus.topic(), await bus.topic()
    dead_letters = await bus.subscription(dead_topic)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        subscription = await bus.subscription(
            topic,
            enable_message_ordering=True,
            push_config={"push_endpoint": f"http://127.0.0.1:{port}/"},
            retry_policy={"minimum_backoff": timedelta(0), "maximum_backoff": timedelta(0)},
            dead_letter_policy={"dead_letter_topic": dead_topic, "max_delivery_attempts": 5},
        )
        for event in [(await read(client, aggregate_id))[n] for n in (0, 0, 1)]:
            fields = {
                **{name: getattr(event, name) for name in ("event_id", "aggregate_id", "aggregate_type")},
                **{name: getattr(event, name) for name in ("event_type", "event_version", "event_data")},
                "metadata": {},
                "occurred_at": event.occurred_at.isoformat(),
                "created_at": event.created_at.isoformat(),
                "global_position": event.global_position,
            }
            await bus.publish(topic, json.dumps(fields), key=aggregate_id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            (dead,) = await bus.consume(dead_letters, 1)
        await bus.subscriber.delete_subscription(subscription=subscription)

    assert answers == [(1, True), (1, True), (1, False), (2, False), (3, False), (4, False), (5, False)]
    assert words.effects() == {aggregate_id: ["a"]}
    assert json.loads(dead.message.data)["event_data"] == POISON
    assert len(await projection.passed_over()) == 1
