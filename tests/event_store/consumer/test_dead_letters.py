"""Dead letters are looked at without harm, sent again at least once, and thrown away only on purpose."""

import asyncio
import json
from itertools import count
from pathlib import Path
from typing import NamedTuple

import grpc.aio
import pytest
from google.pubsub_v1 import SchemaServiceAsyncClient
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcAsyncIOTransport
from google.pubsub_v1.types import Encoding, Schema

from event_store.consumer import dead_letters
from event_store.consumer.dead_letters import DeadLetters
from event_store.errors import ConfigurationError, UnavailableError
from event_store.topology import Subscription
from tests.event_store.command import Outcome, run
from tests.pubsub_emulator.bus import Bus, texts

PROJECT = "test-project"
_numbers = count(1)
QUIET_SECONDS = 0.4


class DeadLetterBus(NamedTuple):
    """A subscription with dead letters, and another subscription of its topic."""

    subscription: Subscription
    source: str
    other: str
    filtered: str
    dead_letters: str
    topic: str

    def open(self) -> DeadLetters:
        return DeadLetters(self.subscription, PROJECT, quiet_seconds=QUIET_SECONDS)


async def _place(bus: Bus) -> DeadLetterBus:
    name = f"projection-{next(_numbers)}"
    subscription = Subscription(name=name, topic=f"{name}-events")
    topic = await bus.topic(name=f"projects/{PROJECT}/topics/{subscription.topic}")
    dead_topic = await bus.topic(name=f"projects/{PROJECT}/topics/{subscription.dead_letter_name}")
    return DeadLetterBus(
        subscription,
        source=await bus.subscription(
            topic,
            name=f"projects/{PROJECT}/subscriptions/{name}",
            enable_message_ordering=True,
            dead_letter_policy={"dead_letter_topic": dead_topic, "max_delivery_attempts": 5},
        ),
        other=await bus.subscription(topic),
        filtered=await bus.subscription(
            topic, filter='NOT attributes:redriven_from OR attributes.redriven_from = "its-own-name"'
        ),
        dead_letters=await bus.subscription(
            dead_topic, name=f"projects/{PROJECT}/subscriptions/{subscription.dead_letter_name}"
        ),
        topic=topic,
    )


async def _die(bus: Bus, place: DeadLetterBus, *positions: int) -> None:
    """Put events where Pub/Sub puts them after five attempts, as it does."""
    for position in positions:
        attributes = {
            "event_id": f"event-{position}",
            "global_position": str(position),
            "CloudPubSubDeadLetterSourceDeliveryCount": "5",
            "CloudPubSubDeadLetterSourceSubscription": place.subscription.name,
        }
        dead_topic = f"projects/{PROJECT}/topics/{place.subscription.dead_letter_name}"
        await bus.publish(dead_topic, json.dumps(position), key="key", attributes=attributes)


async def test_looking_consumes_nothing(any_bus: Bus) -> None:
    """Whoever looks twice sees the same letters, in the order of the log, and so does the next."""
    place = await _place(any_bus)
    await _die(any_bus, place, 10, 9)

    async with place.open() as letters:
        first, second = await letters.peek(), await letters.peek()

    assert [letter.event_id for letter in first] == ["event-9", "event-10"]
    assert [letter.event_id for letter in second] == ["event-9", "event-10"]
    assert first[0].delivery_attempts == 5
    assert first[0].attributes == {"event_id": "event-9", "global_position": "9"}
    assert len(await any_bus.pull(place.dead_letters, 2)) == 2


async def test_an_empty_subscription_is_seen_to_be_empty_in_time(any_bus: Bus) -> None:
    """Nothing waits for what does not come."""
    place = await _place(any_bus)

    async with place.open() as letters, asyncio.timeout(QUIET_SECONDS + 3):
        assert await letters.peek() == ()
        assert letters.is_complete


async def test_a_redriven_letter_reaches_the_subscription_that_gave_it_up(bus: Bus) -> None:
    """A message refused to the end comes again as it was, marked for others, and is a dead letter no more."""
    place = await _place(bus)
    own = {"event_id": "event-1", "event_type": "WordAdded"}
    await bus.publish(place.topic, "{}", key="key", attributes=own)
    await bus.consume(place.other, 1)
    await bus.consume(place.filtered, 1)
    for _ in range(5):
        await bus.refuse(place.source, await bus.pull(place.source, 1))

    async with place.open() as letters:
        done = [letter.event_id async for letter in letters.redrive()]

    assert done == ["event-1"]
    (again,) = await bus.consume(place.source, 1)
    assert (again.message.data, again.message.ordering_key) == (b"{}", "key")
    assert dict(again.message.attributes) == {**own, "redriven_from": place.subscription.name}
    assert texts(await bus.consume(place.other, 1)) == ["{}"]  # whose consumer has it already
    await bus.silence(place.filtered)
    await bus.silence(place.dead_letters)


async def test_a_letter_of_a_topic_with_a_schema_is_redriven(bus: Bus) -> None:
    """Pub/Sub adds attributes to what it has held to a schema, and refuses them from a publisher."""
    name = f"projects/{PROJECT}/schemas/schema-{next(_numbers)}"
    schema = Schema(type_=Schema.Type.AVRO, definition='"long"')
    async with grpc.aio.insecure_channel(bus.address) as channel:
        schemas = SchemaServiceAsyncClient(transport=SchemaServiceGrpcAsyncIOTransport(channel=channel))
        await schemas.create_schema(
            parent=f"projects/{PROJECT}", schema_id=name.rpartition("/")[2], schema=schema
        )
    place = await _place(bus)
    await bus.publisher.update_topic(
        {
            "topic": {"name": place.topic, "schema_settings": {"schema": name, "encoding": Encoding.JSON}},
            "update_mask": "schemaSettings",
        }
    )
    await bus.publish(place.topic, "1", attributes={"event_id": "event-1"})
    for _ in range(5):
        await bus.refuse(place.source, await bus.pull(place.source, 1))

    async with place.open() as letters:
        done = [letter.event_id async for letter in letters.redrive()]

    assert done == ["event-1"]
    (again,) = await bus.consume(place.source, 1)
    assert again.message.attributes["googclient_schemaname"] == name


async def test_letters_are_redriven_in_the_order_of_the_log(any_bus: Bus) -> None:
    """Whatever order they died in."""
    place = await _place(any_bus)
    await _die(any_bus, place, 3, 1, 20)

    async with place.open() as letters:
        assert [letter.data async for letter in letters.redrive()] == [b"1", b"3", b"20"]

    assert texts(await any_bus.consume(place.source, 3)) == ["1", "3", "20"]


async def test_a_limit_and_the_ids_of_events_choose_letters(any_bus: Bus) -> None:
    """What was not chosen stays, and a limit that was reached says that there may be more."""
    place = await _place(any_bus)
    await _die(any_bus, place, 1, 2, 3, 4)

    async with place.open() as letters:
        purged = await letters.purge(event_ids=["event-3"])
        of_ids = letters.is_complete
        redriven = [letter async for letter in letters.redrive(limit=1)]
        of_limit = letters.is_complete
        left = await letters.peek()

    assert (of_ids, of_limit) == (True, False)
    assert [letter.event_id for letter in purged] == ["event-3"]
    assert len(redriven) == 1
    assert {letter.event_id for letter in (*redriven, *left)} == {"event-1", "event-2", "event-4"}


async def test_a_letter_that_cannot_be_published_stays(bus: Bus) -> None:
    """It is acknowledged after its event is published, never before."""
    place = await _place(bus)
    await _die(bus, place, 1)
    await bus.publisher.delete_topic(topic=place.topic)

    async with place.open() as letters:
        with pytest.raises(UnavailableError, match="NOT_FOUND"):
            _ = [letter async for letter in letters.redrive()]

    assert len(await bus.pull(place.dead_letters, 1)) == 1


async def test_more_letters_than_a_pull_gives_are_found(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scan goes on, holding what it saw, until nothing more comes."""
    monkeypatch.setattr(dead_letters, "MOST_LETTERS", 3)
    place = await _place(bus)
    await _die(bus, place, *range(1, 11))

    async with place.open() as letters:
        (found,) = await letters.peek(event_ids=["event-10"])
        assert found.data == b"10"
        assert len(await letters.peek()) == 10


async def test_a_missing_subscription_is_named(bus: Bus) -> None:
    """The operator learns what to look at."""
    async with DeadLetters(Subscription(name="nowhere", topic="topic"), PROJECT) as letters:
        with pytest.raises(
            ConfigurationError, match="projects/test-project/subscriptions/nowhere-dead-letter"
        ):
            await letters.peek()
    assert bus


def _topology(place: DeadLetterBus, directory: Path) -> str:
    file = directory / "topology.yaml"
    file.write_text(
        f"topics: [{{name: {place.subscription.topic}}}]\n"
        f"subscriptions: [{{name: {place.subscription.name}, topic: {place.subscription.topic}}}]\n"
    )
    return str(file)


async def test_the_command_says_what_it_did(bus: Bus, tmp_path: Path) -> None:
    """List, show, redrive and purge, for a person and for a script, each with its count."""
    place = await _place(bus)
    await _die(bus, place, 1, 2, 3)
    where = ["--topology", _topology(place, tmp_path), "--project", PROJECT, "--timeout", "0.4"]

    async def command(action: str, *options: str) -> Outcome:
        return await run("dead-letters", action, place.subscription.name, *where, *options)

    listed = await command("list")
    shown = await command("show", "--json", "--event-id", "event-2")
    refused = await command("purge")
    redriven = await command("redrive", "--event-id", "event-1", "--event-id", "event-2")
    purged = await command("purge", "--yes", "--json")
    missing = await command("list", "--event-id", "event-1")

    assert [outcome.code for outcome in (listed, shown, refused, redriven, purged, missing)] == [
        0,
        0,
        2,
        0,
        0,
        1,
    ]
    assert listed.out.splitlines()[-1] == f"3 dead letters of {place.subscription.name} found"
    assert "event-2" in listed.out
    assert [line.get("data", line) for line in shown.lines] == [2, {"found": 1, "complete": True}]
    assert "check them with list, then add --yes" in refused.err
    assert redriven.out.splitlines()[-1] == f"2 dead letters of {place.subscription.name} redriven"
    assert [line.get("event_id", line) for line in purged.lines] == [
        "event-3",
        {"purged": 1, "complete": True},
    ]
    assert texts(await bus.consume(place.source, 2)) == ["1", "2"]
    assert missing.out == f"0 dead letters of {place.subscription.name} found\n"
    assert "has no dead letter of event" in missing.err


async def test_the_command_names_the_subscriptions_that_it_knows(bus: Bus, tmp_path: Path) -> None:
    """A wrong name is answered with the right ones."""
    place = await _place(bus)

    outcome = await run("dead-letters", "list", "wrong", "--topology", _topology(place, tmp_path))

    assert outcome.code == 1
    assert f"'wrong' is not in the topology: use one of {place.subscription.name}" in outcome.err
