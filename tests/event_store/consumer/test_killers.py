"""An event that kills its process takes no other event into the dead letters."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Final

import pytest

from event_store.consumer.acknowledgements import DEADLINE_SECONDS
from pubsub_emulator import ManualClock, PubSubServer
from tests.event_store.consumer.flow import DEAD, PATH, TOPIC, subscribe
from tests.event_store.consumer.words import PATIENCE_SECONDS
from tests.pubsub_emulator.bus import Bus, bus_at

CONCURRENCY: Final = 8
EVENTS: Final = 40
KILLER: Final = 12
ATTEMPTS: Final = 5


async def test_an_event_that_kills_its_process_dies_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real processes are killed by it until it is a dead letter; all else that they held is handled."""
    clock = ManualClock()
    async with PubSubServer(clock=clock) as pubsub, bus_at(pubsub.address) as bus:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        await bus.topic(name=TOPIC)
        await subscribe(bus)
        for number in range(1, EVENTS + 1):
            await _publish(bus, number)

        handled: set[str] = set()
        for _ in range(ATTEMPTS):
            handled |= await _run_until_it_is_killed()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while pubsub._catalog.subscription(PATH)._backlog.consumers:  # noqa: ASYNC110 # no signal
                    await asyncio.sleep(0.01)
            clock.advance(DEADLINE_SECONDS + 1)
        (dead,) = await bus.consume(DEAD, 1)
        await bus.silence(DEAD)
        rest = await bus.pull(PATH, EVENTS) if len(handled) < EVENTS - 1 else []

    assert json.loads(dead.message.data)["event_data"] == "killer"
    handled |= {json.loads(each.message.data)["event_data"] for each in rest}
    assert handled == {str(number) for number in range(1, EVENTS + 1)} - {str(KILLER)}


async def _publish(bus: Bus, number: int) -> None:
    aggregate_id = f"00000000-0000-0000-0000-{number:012}"
    fields = {
        "event_id": aggregate_id,
        "aggregate_id": aggregate_id,
        "aggregate_type": "Vocabulary",
        "event_type": "WordAdded",
        "event_version": 1,
        "event_data": "killer" if number == KILLER else str(number),
        "metadata": {},
        "occurred_at": "2026-01-01T00:00:00Z",
        "created_at": "2026-01-01T00:00:00Z",
        "global_position": number,
    }
    attributes = {"global_position": str(number), "event_id": aggregate_id}
    await bus.publish(TOPIC, json.dumps(fields), key=aggregate_id, attributes=attributes)


async def _run_until_it_is_killed() -> set[str]:
    """Run a consumer until its event has killed it, and return what it handled before."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("killed_consumer.py")), PATH, str(CONCURRENCY)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == -signal.SIGKILL
    return set(out.decode().split())
