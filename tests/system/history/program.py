"""What some clients do at the same time, as plain values that Hypothesis makes and makes smaller."""

from dataclasses import dataclass
from typing import Final, Literal

from hypothesis import strategies as st

from event_store.model.event_filter import EventFilter

Expected = Literal["any", "no_stream", "exists"] | int
Change = Literal["nothing", "data", "fewer", "more", "aggregate"]

AGGREGATE_TYPES: Final = ("Vocabulary", "Progress")  # of every other aggregate
EVENT_TYPES: Final = ("WordAdded", "WordLearned")  # of every other event
LAST_TYPE: Final = "Last"  # of the event that ends an example


@dataclass(frozen=True, slots=True)
class Target:
    """An aggregate and how many events for it; an expected number is the difference to the known one."""

    aggregate: int
    expected: Expected
    count: int
    is_of_other_type: bool


@dataclass(frozen=True, slots=True)
class AppendTo:
    """Append to some aggregates in one request."""

    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class AppendStreamOf:
    """Append on a stream, without waiting for answers between."""

    appends: tuple[AppendTo, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Append what somebody has appended or appends just now, under the same ids, changed or not."""

    which: int
    change: Change


@dataclass(frozen=True, slots=True)
class ReadOne:
    """Read an aggregate."""

    aggregate: int
    from_version: int
    limit: int
    backwards: bool


@dataclass(frozen=True, slots=True)
class ReadLog:
    """Read the log."""

    from_position: int
    limit: int
    backwards: bool
    event_filter: EventFilter


@dataclass(frozen=True, slots=True)
class Save:
    """Save snapshots, of versions that differ so much from the known one, and look at what is kept."""

    aggregate: int
    differences: tuple[int, ...]
    is_of_other_type: bool


@dataclass(frozen=True, slots=True)
class Get:
    """Get a snapshot, or load an aggregate by it."""

    aggregate: int
    with_events: bool


@dataclass(frozen=True, slots=True)
class Follow:
    """Subscribe, from a position of those that are known on to the end of the example."""

    after_position: int
    event_filter: EventFilter


@dataclass(frozen=True, slots=True)
class Cut:
    """Cut the client's own connection."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Stop the service, with or without cutting all connections before, and start another."""

    abruptly: bool


Step = AppendTo | AppendStreamOf | Repeat | ReadOne | ReadLog | Save | Get | Follow | Cut | Restart
Program = tuple[tuple[Step, ...], ...]  # the steps of each client

_aggregates = st.sampled_from([0, 0, 0, 1, 1, 2])  # most meet
_seldom = st.sampled_from([False] * 9 + [True])
_expected = st.sampled_from(["any", 0, "no_stream", "exists", -1, 1])
_filters = st.builds(
    EventFilter,
    st.sampled_from([(), ("Vocabulary",), ("Prog*",), ("Nothing",)]),
    st.sampled_from([(), ("WordAdded",), ("Word*",)]),
)
_targets = st.builds(Target, _aggregates, _expected, st.integers(1, 3), _seldom)
_appends = st.builds(
    AppendTo, st.lists(_targets, min_size=1, max_size=3, unique_by=lambda each: each.aggregate).map(tuple)
)
_limits = st.integers(0, 3)
_steps = st.one_of(
    _appends,
    st.builds(AppendStreamOf, st.lists(_appends, min_size=1, max_size=6).map(tuple)),
    st.builds(Repeat, st.integers(0, 20), st.sampled_from(["nothing", "data", "fewer", "more", "aggregate"])),
    st.builds(ReadOne, _aggregates, st.integers(0, 5), _limits, st.booleans()),
    st.builds(ReadLog, st.integers(0, 10), _limits, st.booleans(), _filters),
    st.builds(Save, _aggregates, st.lists(st.sampled_from([0, -1, -2, 1]), min_size=1).map(tuple), _seldom),
    st.builds(Get, _aggregates, st.booleans()),
    st.builds(Follow, st.integers(0, 10), _filters),
    _seldom.flatmap(lambda restarts: st.builds(Restart, st.booleans()) if restarts else st.just(Cut())),
)
programs: Final = st.lists(st.lists(_steps, max_size=8).map(tuple), min_size=1, max_size=4).map(tuple)
