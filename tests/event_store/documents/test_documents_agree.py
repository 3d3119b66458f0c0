"""What is said in two places is the same there."""

import inspect
import re
from typing import Final
from uuid import uuid4

import pytest

from event_store import AppendStream, Client, Replays
from event_store.errors import WrongExpectedVersionError
from event_store.model.events import ExpectedVersion, NewEvent
from event_store.replay.term import RENEW_SECONDS
from tests.event_store.command import ROOT

CONTRACT: Final = ROOT / "service" / "proto" / "event_store" / "v1" / "event_store.proto"


def _document(name: str) -> str:
    return " ".join((ROOT / "docs" / name).read_text("utf-8").split())


def test_every_place_says_how_soon_a_pause_holds() -> None:
    """Contract, client and document promise the same, and the service looks often enough for it."""
    contract = re.findall(r"// Pauses a replay.*?rpc", CONTRACT.read_text("utf-8"), re.DOTALL)

    for text in (*contract, Replays.pause.__doc__, Replays.cancel.__doc__, _document("howto/replaying.md")):
        assert "within a second or two" in " ".join((text or "").replace("//", " ").split())
    assert contract
    assert RENEW_SECONDS <= 1


def test_every_place_says_that_a_cancelled_replay_can_be_cancelled() -> None:
    """As the service does: harmless, while it can be neither paused nor resumed."""
    contract = CONTRACT.read_text("utf-8")

    assert "Cancelling twice is harmless" in contract
    assert "Cancelling twice is harmless" in (Replays.cancel.__doc__ or "")
    assert "cancelling it again is harmless" in _document("howto/replaying.md")
    assert "was cancelled and cannot be paused or resumed" in _document("reference/client.md")


def test_the_document_names_each_method_that_is_no_coroutine() -> None:
    """docs/reference/client.md says which methods return an iterator or a context; all others are awaited."""
    (sentence,) = re.findall(
        r"Methods are coroutines, apart from those (.*?\))\. ", _document("reference/client.md")
    )
    others = {
        f"{prefix}{name}"
        for prefix, kind in (("", Client), ("replays.", Replays))
        for name, function in vars(kind).items()
        if inspect.isfunction(function)
        and not name.startswith("_")
        and not inspect.iscoroutinefunction(function)
    }

    assert set(re.findall(r"`([\w.]+)`", sentence)) == others
    assert all(map(inspect.iscoroutinefunction, (AppendStream.append, AppendStream.append_all)))


@pytest.mark.parametrize(
    ("expected", "told"),
    [(ExpectedVersion.NO_STREAM, "no_stream"), (0, "no_stream"), (7, "7")],
)
async def test_a_conflict_tells_what_was_expected(
    client: Client, expected: ExpectedVersion | int, told: str
) -> None:
    """In the words of `WrongExpectedVersionError`, which are those of the contract."""
    aggregate_id = str(uuid4())
    await client.append(aggregate_id, "Order", [NewEvent("A", 1)], expected_version=0)

    with pytest.raises(WrongExpectedVersionError) as raised:
        await client.append(aggregate_id, "Order", [NewEvent("A", 1)], expected_version=expected)
    with pytest.raises(WrongExpectedVersionError) as missing:
        await client.append(
            str(uuid4()), "Order", [NewEvent("A", 1)], expected_version=ExpectedVersion.EXISTS
        )

    assert (raised.value.expected_version, raised.value.actual_version) == (told, 1)
    assert (missing.value.expected_version, missing.value.actual_version) == ("exists", 0)
