"""Exports of the embedded Pub/Sub: files in the place of Cloud Storage and BigQuery."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
from google.api_core.exceptions import InvalidArgument, MethodNotImplemented

from pubsub_emulator import ManualClock, PubSubServer
from tests.pubsub_emulator.bus import PATIENCE_SECONDS, SILENCE_SECONDS, Bus, bus_at, texts

OBJECTS = {"bucket": "archive", "filename_prefix": "words/", "filename_suffix": ".txt"}


@pytest.fixture
async def exporting(clock: ManualClock, tmp_path: Path) -> AsyncIterator[Bus]:
    """A server that follows `clock` and exports to `tmp_path`."""
    async with PubSubServer(clock=clock, exports=tmp_path) as server, bus_at(server.address) as bus:
        yield bus


def _standing(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.is_file())


async def _files(folder: Path, count: int) -> list[Path]:
    """Return the files below a folder, once there are so many."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(found := _standing(folder)) < count:  # noqa: ASYNC110 # a folder has no signal
            await asyncio.sleep(0.01)
    return found


async def test_an_object_is_closed_when_it_is_old_enough(
    exporting: Bus, clock: ManualClock, tmp_path: Path
) -> None:
    """Until then nothing stands in the bucket; then all of it does, in the order of the messages."""
    topic = await exporting.topic()
    await exporting.subscription(topic, cloud_storage_config={**OBJECTS, "max_duration": "60s"})

    await exporting.publish(topic, "one", "two")
    clock.advance(59)
    await asyncio.sleep(SILENCE_SECONDS)
    assert not _standing(tmp_path)
    clock.advance(1)

    (path,) = await _files(tmp_path, 1)
    assert path.parent == tmp_path / "storage" / "archive" / "words"
    assert path.suffix == ".txt"
    assert path.read_text() == "one\ntwo\n"


@pytest.mark.parametrize(
    ("time_format", "name"),
    [
        ("", "words/2027-01-15T08:01:00+00:00_"),
        ("YYYY-MM-DD/hh_mm_ssZ", "words/2027-01-15/08_01_00Z_"),
        ("ss:mm:hh DD.MM.YY", "words/00:01:08 15.01.27_"),
    ],
)
async def test_an_object_is_named_by_its_time(
    exporting: Bus, clock: ManualClock, tmp_path: Path, time_format: str, name: str
) -> None:
    """Prefix, time in the format that was asked for, something unique, suffix."""
    topic = await exporting.topic()
    config = {**OBJECTS, "max_duration": "60s", "filename_datetime_format": time_format}
    await exporting.subscription(topic, cloud_storage_config=config)

    await exporting.publish(topic, "one")
    await asyncio.sleep(0)
    clock.advance(60)

    (path,) = await _files(tmp_path, 1)
    found = path.relative_to(tmp_path / "storage" / "archive").as_posix()
    assert found.startswith(name)
    assert found.endswith(".txt")


async def test_an_object_is_closed_when_it_is_full(exporting: Bus, tmp_path: Path) -> None:
    """By the number of its messages; what is more goes into the next."""
    topic = await exporting.topic()
    await exporting.subscription(topic, cloud_storage_config={**OBJECTS, "max_messages": 1000})

    await exporting.publish(topic, *map(str, range(999)))
    await exporting.publish(topic, "last", "next")

    (path,) = await _files(tmp_path, 1)
    assert path.read_text().split() == [*map(str, range(999)), "last"]


async def test_an_object_in_avro_has_all_of_a_message(
    exporting: Bus, clock: ManualClock, tmp_path: Path
) -> None:
    """Data, attributes, id, time, and the ordering key among the attributes, as Google writes them."""
    topic = await exporting.topic()
    subscription = await exporting.subscription(
        topic,
        enable_message_ordering=True,
        cloud_storage_config={"bucket": "archive", "avro_config": {"write_metadata": True}},
    )

    (message_id,) = await exporting.publish(topic, "Haus", key="k", attributes={"a": "1"})
    await asyncio.sleep(0)
    clock.advance(300)

    (path,) = await _files(tmp_path, 1)
    with path.open("rb") as file:
        (record,) = fastavro.reader(file)
    assert isinstance(record, dict)
    assert record.pop("publish_time").timestamp() == 1_800_000_000
    assert record == {
        "subscription_name": subscription,
        "message_id": message_id,
        "attributes": {"a": "1", "orderingKey": "k"},
        "data": b"Haus",
    }


async def test_a_stopping_server_closes_its_objects(clock: ManualClock, tmp_path: Path) -> None:
    """What was taken is written before the server forgets it."""
    async with PubSubServer(clock=clock, exports=tmp_path) as server, bus_at(server.address) as bus:
        topic = await bus.topic()
        await bus.subscription(topic, cloud_storage_config=OBJECTS)
        await bus.publish(topic, "one")

    (path,) = await _files(tmp_path, 1)
    assert path.read_text() == "one\n"


async def test_a_row_has_the_columns_that_were_asked_for(exporting: Bus, tmp_path: Path) -> None:
    """The message as one column with its metadata, or a column for each of its fields."""
    topic = await exporting.topic()
    whole = await exporting.subscription(
        topic, bigquery_config={"table": "p-1.set.whole", "write_metadata": True}
    )
    await exporting.subscription(topic, bigquery_config={"table": "p-1.set.fields", "use_table_schema": True})

    (message_id,) = await exporting.publish(topic, '{"a": 1}', attributes={"b": "2"})

    fields, rows = await _files(tmp_path / "bigquery", 2)
    assert json.loads(fields.read_text()) == {"a": 1}
    row = json.loads(rows.read_text())
    assert (row["data"], row["subscription_name"], row["message_id"]) == ('{"a": 1}', whole, message_id)
    assert json.loads(row["attributes"]) == {"b": "2"}


async def test_what_is_no_row_becomes_a_dead_letter(
    exporting: Bus, clock: ManualClock, tmp_path: Path
) -> None:
    """It comes again after its backoff, until it is given up; what fits is written meanwhile."""
    topic, dead_letter_topic = await exporting.topic(), await exporting.topic()
    dead_letters = await exporting.subscription(dead_letter_topic)
    await exporting.subscription(
        topic,
        bigquery_config={"table": "p-1.set.fields", "use_table_schema": True},
        dead_letter_policy={"dead_letter_topic": dead_letter_topic},
    )

    await exporting.publish(topic, "no JSON", "[]", '{"a": 1}')
    (rows,) = await _files(tmp_path, 1)
    for _ in range(5):
        await asyncio.sleep(0.05)
        clock.advance(60)

    assert sorted(texts(await exporting.consume(dead_letters, 2))) == ["[]", "no JSON"]
    assert json.loads(rows.read_text()) == {"a": 1}


async def test_a_bucket_that_cannot_be_written_keeps_its_messages(
    exporting: Bus, clock: ManualClock, tmp_path: Path
) -> None:
    """Nothing is acknowledged that stands nowhere; it is written once it can be."""
    (tmp_path / "storage").write_text("in the way")
    topic = await exporting.topic()
    subscription = await exporting.subscription(topic, cloud_storage_config=OBJECTS)

    await exporting.publish(topic, "one")
    await _delayed(exporting, subscription)  # it is taken
    clock.advance(300)
    await _delayed(exporting, subscription)  # and could not be written
    (tmp_path / "storage").unlink()
    for _ in range(3):
        await asyncio.sleep(0.05)
        clock.advance(300)

    (path,) = await _files(tmp_path, 1)
    assert path.read_text() == "one\n"


async def test_a_table_that_cannot_be_written_keeps_its_messages(
    exporting: Bus, clock: ManualClock, tmp_path: Path
) -> None:
    """Nothing is acknowledged that is in no row; it is written once it can be."""
    (tmp_path / "bigquery").write_text("in the way")
    topic = await exporting.topic()
    subscription = await exporting.subscription(topic, bigquery_config={"table": "p.d.t"})
    await exporting.publish(topic, "one")
    await _delayed(exporting, subscription)

    (tmp_path / "bigquery").unlink()
    clock.advance(60)

    (path,) = await _files(tmp_path, 1)
    assert '"one"' in path.read_text()


async def _delayed(bus: Bus, subscription: str) -> None:
    """Let the loop that exports fail once: other calls are answered only after it."""
    for _ in range(3):
        await bus.subscriber.get_subscription(subscription=subscription)


async def test_an_object_with_the_topics_schema_is_not_promised(exporting: Bus) -> None:
    """UNIMPLEMENTED, where Google would write the fields of the message."""
    topic = await exporting.topic()
    with pytest.raises(MethodNotImplemented, match="use_topic_schema"):
        await exporting.subscription(
            topic, cloud_storage_config={"bucket": "archive", "avro_config": {"use_topic_schema": True}}
        )


async def test_an_export_is_switched_on_and_off(exporting: Bus, tmp_path: Path) -> None:
    """The way of delivery is mutable: from pull to rows and back."""
    topic = await exporting.topic()
    subscription = await exporting.subscription(topic)
    update = {"subscription": {"name": subscription}, "update_mask": "bigqueryConfig"}

    await exporting.publish(topic, "one")
    await exporting.subscriber.update_subscription(
        {"subscription": {"name": subscription, "bigquery_config": {"table": "p-1.a.b"}}}
        | {"update_mask": "bigqueryConfig"}
    )
    await _files(tmp_path, 1)
    await exporting.subscriber.update_subscription(update)
    await exporting.publish(topic, "two")

    assert texts(await exporting.consume(subscription, 1)) == ["two"]


@pytest.mark.parametrize(
    "fields",
    [
        {"bigquery_config": {"table": "rows"}},
        {"bigquery_config": {"table": "p.d.t", "use_topic_schema": True, "use_table_schema": True}},
        {"cloud_storage_config": {"bucket": "gs://archive"}},
        {"cloud_storage_config": {"bucket": "archive", "max_duration": "59s"}},
        {"cloud_storage_config": {"bucket": "archive", "max_bytes": 999}},
        {"cloud_storage_config": {"bucket": "archive", "max_messages": 999}},
        {"cloud_storage_config": {"bucket": "archive"}, "bigquery_config": {"table": "p.d.t"}},
        {"cloud_storage_config": {"bucket": "archive"}, "enable_exactly_once_delivery": True},
    ],
)
async def test_an_export_that_google_refuses_is_refused(exporting: Bus, fields: dict[str, Any]) -> None:
    """Targets, ranges, and what excludes each other."""
    topic = await exporting.topic()

    with pytest.raises(InvalidArgument):
        await exporting.subscription(topic, **fields)
