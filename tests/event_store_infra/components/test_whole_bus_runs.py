"""A bus with all that a topology can say, brought up by the real engine: messages go where it says."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import fastavro
import pytest
import yaml
from google.api_core.exceptions import InvalidArgument
from google.pubsub_v1.types import PubsubMessage

from event_store.pubsub.event_message import Content, EventRow
from local_gcp.pubsub_api.broker import Broker
from tests.local_gcp.conftest import LocalCloud, Stack, local_cloud, stack
from tools import ROOT

__all__ = ["local_cloud", "stack"]  # fixtures

PATIENCE_SECONDS = 15.0
PROGRAM = """
from pathlib import Path
from event_store.topology import Topology
from event_store_infra.components.bus import EventBus, EventBusArgs
EventBus("bus", EventBusArgs(project="p-1", region="europe-west1", prefix="store", labels={{}},
    topology=Topology.load(Path({path!r}))))
"""


def _event(number: int, event_type: str, event_data: dict[str, Any]) -> Content:
    """Return an event's message, made of a row of the log as the relay makes it."""
    return Content.of(
        EventRow(
            head_position=number,
            event_id=str(uuid4()),
            event_type=event_type,
            event_data=json.dumps(event_data),
            metadata='{"user": "a"}',
            occurred_at_microseconds=1_800_000_000_000_000,
            aggregate_id=str(uuid4()),
            aggregate_type="Metric",
            event_version=1,
            global_position=number,
            created_at_microseconds=1_800_000_000_000_000,
            more=False,
        )
    )


async def _publish(bus: Broker, topic: str, *contents: Content) -> None:
    messages = [
        PubsubMessage.deserialize(content.message("").SerializeToString()) for content in contents
    ]  # as one program sends them, and another receives them
    await bus.publisher.publish(topic=f"projects/p-1/topics/{topic}", messages=messages, retry=None)


def _standing(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.is_file())


async def _files(folder: Path, count: int = 1) -> list[Path]:
    """Return the files below a folder, once there are so many."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(found := _standing(folder)) < count:  # noqa: ASYNC110 # a folder has no signal
            await asyncio.sleep(0.01)
    return found


@pytest.fixture
async def bus(stack: Stack, local_cloud: LocalCloud, tmp_path: Path) -> Broker:
    """Bring the example up; its archive closes an object after 1,000 messages, so that no test waits."""
    topology = yaml.safe_load((ROOT / "examples" / "topologies" / "everything.yaml").read_text())
    (archive,) = (each for each in topology["subscriptions"] if each["name"] == "archive")
    archive["cloudStorageConfig"]["maxMessages"] = 1000
    path = tmp_path / "topology.yaml"
    path.write_text(yaml.safe_dump(topology))
    stack.write(PROGRAM.format(path=str(path)))
    await stack.must_up()
    return local_cloud.assembly.bus


async def test_a_whole_bus_comes_up_delivers_and_goes(stack: Stack, bus: Broker) -> None:
    """Nothing changes by a second update or a refresh; archives are written; a destroy leaves nothing."""
    assert bus.exports is not None
    measured = _event(1, "Measured", {"metric": "words", "value": 2})

    await _publish(bus, "metrics-events", measured)
    await _publish(bus, "progress-events", *(_event(n, "LessonFinished", {}) for n in range(2, 1002)))
    with pytest.raises(InvalidArgument, match="failed schema validation"):
        await _publish(bus, "metrics-events", _event(1002, "Measured", {"metric": "words", "value": "two"}))

    (table,) = await _files(bus.exports / "bigquery")
    row = json.loads(table.read_text())
    assert table.name == "words-warehouse.events.metrics.jsonl"
    assert row["event_data"] == {"metric": "words", "value": 2}
    assert row["subscription_name"] == "projects/p-1/subscriptions/warehouse"
    (path,) = await _files(bus.exports / "storage" / "words-archive" / "progress")
    with path.open("rb") as file:
        records: list[Any] = list(fastavro.reader(file))
    assert [json.loads(each["data"])["global_position"] for each in records] == list(range(2, 1002))

    preview = await stack.run("preview", "--expect-no-changes")
    assert preview.code == 0, preview.output
    refresh = await stack.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert refresh.code == 0, refresh.output
    await stack.must_destroy()
    assert list(stack.cloud.records) == []
