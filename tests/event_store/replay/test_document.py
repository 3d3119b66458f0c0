"""The examples of docs/howto/replaying.md run as they are printed."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from event_store.cli.emulator_bus import create_bus
from event_store.client import messages
from event_store.contract.append_request import prepare_request
from event_store.model.events import AggregateAppend, ExpectedVersion, NewEvent
from pubsub_emulator import PubSubServer
from tests.documents import examples, run, topology_of
from tests.event_store.outbox.log import Log
from tests.event_store.replay.conftest import serving

PROJECT = "project-of-document"


async def test_the_examples_of_replays_run(log: Log, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block of docs/howto/replaying.md, on the topology with what the document adds to it."""
    topology = topology_of("howto/replaying.md")
    events = [NewEvent(each, {}) for each in ("VocabularyCreated", "WordAdded", "WordAdded")]
    append = AggregateAppend(str(uuid4()), "Vocabulary", events, ExpectedVersion.ANY)
    await log.appender.append(prepare_request(messages.append_request([append]), None))
    async with PubSubServer() as pubsub:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        await asyncio.to_thread(lambda: list(create_bus(topology, PROJECT, pubsub.address)))
        async with serving(topology.routing(PROJECT)) as (client, _):
            names: dict[str, Any] = {"client": client}
            for example in examples("howto/replaying.md"):
                await run(example, names)

    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "2 events of the positions 1 to 3"
    assert "finished 2 of 2 " in shown
    assert [line.split()[3] for line in shown[-2:]] == ["cancelled", "finished"]
