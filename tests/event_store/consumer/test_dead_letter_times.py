"""How long dead letters are held, and how long a call on them takes."""

import asyncio

import pytest

from event_store.consumer import dead_letters
from event_store.consumer.dead_letters import DeadLetters
from tests.event_store.command import ROOT
from tests.event_store.consumer.test_dead_letters import PROJECT, _die, _place
from tests.pubsub_emulator.bus import Bus


async def test_the_letters_of_a_looker_that_dies_come_back(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others do not see them for HOLD_SECONDS, then they do, whatever the deadline of the subscription."""
    monkeypatch.setattr(dead_letters, "HOLD_SECONDS", 4)
    place = await _place(bus)
    await _die(bus, place, 1)

    async with (
        place.open() as dying,
        place.open() as other,
        DeadLetters(place.subscription, PROJECT, quiet_seconds=8) as later,
        dying._held((), 10) as held,  # until the end, as if it had died
    ):
        assert len(held) == 1
        assert await other.peek() == ()
        assert [letter.event_id for letter in await later.peek(limit=1)] == ["event-1"]


async def test_a_redrive_ends_in_its_time(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not published by then stays, and the call says that there is more."""
    monkeypatch.setattr(dead_letters, "LONGEST_SECONDS", 5.0)
    place = await _place(bus)
    await _die(bus, place, 1, 2, 3)
    done = []

    async with place.open() as letters:
        async for letter in letters.redrive():
            done.append(letter.event_id)
            await asyncio.sleep(dead_letters.LONGEST_SECONDS)
        assert not letters.is_complete
        left = [letter.event_id for letter in await letters.peek()]

    assert (done, left) == (["event-1"], ["event-2", "event-3"])


def test_the_document_has_these_times() -> None:
    """Two minutes, half a minute and a minute."""
    document = " ".join((ROOT / "docs" / "howto" / "consumers.md").read_text("utf-8").split())

    assert (dead_letters.HOLD_SECONDS, dead_letters.LONGEST_SECONDS) == (120, 60)
    assert "until it ends, or for two minutes if it dies" in document
    assert "looks for half a minute at most, and a redrive ends after a minute" in document
