"""The checker takes what a right store does, and refuses each kind of wrong."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from event_store.model.event_filter import EventFilter
from tests.system.history.checker import check
from tests.system.history.history import (
    ANY,
    NEVER,
    Append,
    BrokenHistoryError,
    Event,
    Followed,
    Found,
    GetSnapshot,
    History,
    Kept,
    LoadAggregate,
    Marked,
    Operation,
    Part,
    ReadAggregate,
    ReadAll,
    Refused,
    Result,
    SaveSnapshot,
    Stored,
    StoredEvent,
    Subscribe,
    Unknown,
)

EVERYTHING: Final = EventFilter()


def recorded(position: int, version: int, aggregate: str = "A") -> StoredEvent:
    return StoredEvent(
        position, aggregate, "Vocabulary", version, Event(f"e{position}", "WordAdded", position)
    )


def append(event: int, expected: int = ANY, aggregate: str = "A") -> Append:
    return Append((Part(aggregate, "Vocabulary", expected, (Event(f"e{event}", "WordAdded", event),)),))


def stored(position: int, version: int, *, duplicate: bool = False) -> Stored:
    return Stored((Result(version, position, position, duplicate),))


ONE, TWO, THREE = recorded(1, 1), recorded(2, 2), recorded(3, 1, "B")
LOG: Final = (ONE, TWO, THREE)
#  at:   1 2 3 4 5 6 7 8 9 …
OPERATIONS: Final[dict[str, tuple[int, int, Any, Any]]] = {
    "first": (1, 4, append(1, 0), stored(1, 1)),
    "second": (6, 9, append(2, 1), stored(2, 2)),
    "third": (7, 10, append(3, ANY, "B"), stored(3, 1)),
    "again": (11, 12, append(2, 1), stored(2, 2, duplicate=True)),
    "conflict": (2, 5, append(9, 0), Refused("wrong_expected_version", 1)),
    "other content": (13, 14, append(2, ANY, "C"), Refused("event_already_exists", "e2")),
    "early read": (5, 8, ReadAggregate("A", 0, 0, backwards=False), Found((ONE,))),
    "late read": (20, 21, ReadAggregate("A", 0, 1, backwards=True), Found((TWO,))),
    "log": (22, 23, ReadAll(2, 0, False, EVERYTHING), Found((TWO, THREE))),
    "save": (24, 25, SaveSnapshot("A", "Vocabulary", 2, 70), True),
    "get": (26, 27, GetSnapshot("A"), Kept(2, 70)),
    "late save": (28, 29, SaveSnapshot("A", "Vocabulary", 1, 71), False),
    "load": (30, 31, LoadAggregate("A"), Kept(2, 70)),
    "subscription": (
        3,
        40,
        Subscribe(0, EVERYTHING),
        Followed(((5, ONE), (6, Marked("CaughtUp", 1)), (12, TWO), (13, THREE))),
    ),
}


def history(**changed: Any) -> History:
    """Return the history above with other answers, or None for an operation that is left out."""
    operations = {**OPERATIONS, **{name.replace("_", " "): value for name, value in changed.items()}}
    return History(
        [
            Operation(client=name, invoked=each[0], responded=each[1], call=each[2], answer=each[3])
            for name, each in operations.items()
            if each is not None
        ],
        LOG,
    )


def answered(name: str, answer: Any) -> History:
    """Return the history above with another answer to an operation."""
    return history(**{name.replace(" ", "_"): (*OPERATIONS[name][:3], answer)})


def test_what_a_right_store_does_is_right() -> None:
    """Concurrent appends, each refusal, reads in the middle, snapshots and a subscription."""
    check(history())


def test_what_has_no_answer_may_be_stored_or_not() -> None:
    """An append that was cut off explains its events, and needs none."""
    check(
        history(
            second=(6, NEVER, append(2, 1), Unknown()), again=None, lost=(50, NEVER, append(7), Unknown())
        )
    )


FOLLOWED: Final = OPERATIONS["subscription"][3].items
WRONG: Final[dict[str, tuple[str, Callable[[], History]]]] = {
    "a lost event": ("not in the log where it was told", lambda: replace(history(), log=LOG[:2])),
    "a hole": ("position 2 of the log is missing", lambda: replace(history(), log=(ONE, THREE))),
    "an event twice": (
        "stored twice",
        lambda: replace(history(), log=(*LOG, replace(TWO, position=4, version=3))),
    ),
    "a version left out": (
        "not the next version",
        lambda: replace(history(), log=(ONE, replace(TWO, version=3), THREE)),
    ),
    "an event of nobody": ("nobody appended", lambda: replace(history(), log=(*LOG, recorded(4, 3)))),
    "a refused event": (
        "nobody appended",
        lambda: replace(history(), log=(*LOG, replace(recorded(4, 3), event=Event("e9", "WordAdded", 9)))),
    ),
    "other content": (
        "nobody appended",
        lambda: replace(history(), log=(*LOG[:2], replace(THREE, event=replace(THREE.event, data=0)))),
    ),
    "positions against time": (
        "out of the order in time",
        lambda: history(first=(41, 42, append(1, 0), stored(1, 1))),
    ),
    "wrong positions": ("not in the log where it was told", lambda: answered("third", stored(2, 1))),
    "a conflict that was stored": (
        "nobody appended",
        lambda: history(
            second=(6, 9, append(2, 5), Refused("wrong_expected_version", 1)), again=None, late_read=None
        ),
    ),
    "a refusal without a reason": (
        "no such reason",
        lambda: answered("conflict", Refused("wrong_expected_version", 2)),
    ),
    "a refusal too late": (
        "no such reason",
        lambda: history(conflict=(20, 21, append(9, 2), Refused("wrong_expected_version", 1))),
    ),
    "a duplicate elsewhere": ("no duplicate", lambda: answered("again", stored(1, 1, duplicate=True))),
    "new twice": ("2 times as a new one", lambda: history(again=(6, 12, append(2, 1), stored(2, 2)))),
    "never new": ("0 times as a new one", lambda: answered("third", stored(3, 1, duplicate=True))),
    "a stale read": ("the log was never so", lambda: answered("late read", Found((ONE,)))),
    "a read of the future": (
        "out of the order in time",
        lambda: history(early_read=(2, 5, ReadAggregate("A", 0, 0, backwards=False), Found((ONE, TWO)))),
    ),
    "a read with a hole": ("the log was never so", lambda: answered("log", Found((THREE,)))),
    "a read that goes back": (
        "the log was never so",
        lambda: history(log=(22, 23, ReadAll(0, 0, False, EVERYTHING), Found((ONE, TWO)))),
    ),
    "a lost snapshot": ("it goes back", lambda: answered("get", Kept())),
    "an older snapshot": (
        "it goes back",
        lambda: history(
            late_save=(28, 29, SaveSnapshot("A", "Vocabulary", 1, 71), True),
            load=(30, 31, LoadAggregate("A"), Kept(1, 71, (TWO,))),
        ),
    ),
    "a snapshot of nobody": ("nobody saved", lambda: answered("get", Kept(2, 99))),
    "a snapshot not kept": ("no newer snapshot", lambda: history(save=None, get=None, load=None)),
    "a snapshot of the future": (
        "its aggregate was not so",
        lambda: history(save=(2, 5, SaveSnapshot("A", "Vocabulary", 2, 70), True)),
    ),
    "a load with a hole": ("do not follow", lambda: history(load=(30, 31, LoadAggregate("B"), Kept()))),
    "a subscription that loses": (
        "it gave not what it should",
        lambda: answered("subscription", Followed((*FOLLOWED[:2], FOLLOWED[3]))),
    ),
    "a subscription that doubles": (
        "it gave not what it should",
        lambda: answered("subscription", Followed((*FOLLOWED, FOLLOWED[3]))),
    ),
    "a subscription out of order": (
        "it gave not what it should",
        lambda: answered("subscription", Followed((*FOLLOWED[:2], FOLLOWED[3], FOLLOWED[2]))),
    ),
    "a subscription ahead of the log": (
        "out of the order in time",
        lambda: answered("subscription", Followed((*FOLLOWED[:1], (5, TWO), *FOLLOWED[3:]))),
    ),
    "a marker ahead of the log": (
        "out of the order in time",
        lambda: answered(
            "subscription", Followed((*FOLLOWED[:1], (5, Marked("CaughtUp", 3)), *FOLLOWED[2:]))
        ),
    ),
    "caught up too early": (
        "says what is not so",
        lambda: answered("subscription", Followed((FOLLOWED[1], FOLLOWED[0], *FOLLOWED[2:]))),
    ),
    "caught up behind": (
        "behind what had been acknowledged",
        lambda: history(
            subscription=(
                20,
                40,
                Subscribe(1, EVERYTHING),
                Followed(((21, Marked("CaughtUp", 1)), *FOLLOWED[2:])),
            )
        ),
    ),
    "an append that overtakes": (
        "overtook another of its stream",
        lambda: history(
            again=None,
            other_content=None,
            second=(7, 9, replace(append(2, 1), stream=1), stored(2, 2)),
            third=(6, 10, replace(append(3, ANY, "B"), stream=1), stored(3, 1)),
            first=(8, 9, replace(append(1, 0), stream=1), stored(1, 1)),
            conflict=None,
            early_read=None,
            subscription=None,
        ),
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_no_right_store_does_is_refused(wrong: str) -> None:
    """A history with one thing wrong is told from a right one, and by what is wrong."""
    said, broken = WRONG[wrong]

    with pytest.raises(BrokenHistoryError, match=said):
        check(broken())
