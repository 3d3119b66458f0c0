"""A push request is answered 2xx when its event has had its effect, and an event arrives as it was stored."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from event_store.client import Client
from event_store.errors import InvalidArgumentError
from event_store.push import handle_push
from event_store.received import recorded_event
from tests.consumers.words import PATIENCE_SECONDS, POISON, Words, append, read
from tests.pubsub.bus import Bus

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
    with pytest.raises(InvalidArgumentError, match=r"message\.data: is no event of the event store"):
        recorded_event(data)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", {"message": 1}, {"message": {"data": "?"}}])
async def test_what_is_no_push_request_is_answered_with_a_failure(body: Any, words: Words) -> None:
    """Nothing is handled."""
    assert not await handle_push(body, words.projection(None).handle)  # type: ignore[arg-type] # never used
    assert words.seen == []


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
