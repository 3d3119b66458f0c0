"""The examples of docs/replaying.md run as they are printed."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from event_store.topology import Topology
from local.pubsub import PubSubServer
from tests.client.command import run
from tests.client.test_documents import _blocks, _run
from tests.relay.log import Log
from tests.replay.conftest import serving

ROOT = Path(__file__).parents[2]


async def test_the_examples_of_replays_run(
    log: Log, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block of docs/replaying.md, on the topology with what the document adds to it."""
    text = (ROOT / "docs" / "replaying.md").read_text("utf-8")
    files = (ROOT / "topology.yaml", tmp_path / "added.yaml")
    files[1].write_text(text.split("```yaml\n")[1].split("```")[0])
    declared, addition = map(Topology.load, files)
    topology = replace(
        declared,
        topics=(*declared.topics, *addition.topics),
        subscriptions=(*declared.subscriptions, *addition.subscriptions),
    )
    for number in range(3):
        await log.append(str(uuid4()), "Vocabulary", number)
    log.query("ALTER TABLE events DISABLE TRIGGER append_only")
    log.query("UPDATE events SET event_type = 'WordAdded' WHERE global_position > 1")
    async with PubSubServer() as pubsub:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        for file in files:
            assert (await run("topology", "create", "--topology", str(file))).code == 0
        async with serving(topology.routing("event-store-local")) as (client, _):
            names: dict[str, Any] = {"client": client}
            for block in _blocks("replaying.md"):
                await _run(block, names)

    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "2 events of the positions 1 to 3"
    assert "finished 2 of 2 " in shown
    assert [line.split()[3] for line in shown[-2:]] == ["cancelled", "finished"]
