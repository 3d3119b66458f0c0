"""A route that goes is invisible in a text of JSON: the guard names who no longer gets what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_store import environment
from event_store.topology.routing import Ordering, Route, RoutedTopic, Routing
from event_store_infra.preview.effects.effect import Effect, Severity
from event_store_infra.preview.effects.workload.routes import of_routing
from event_store_infra.preview.effects.workload.run import POOL, SERVICE
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.effects.changed import changed

Routes = list[tuple[str, str, str]]


def _routing(
    routes: Routes, unrouted: str = "store-only", ordering: Ordering | None = None, **more: str
) -> Routing:
    names = sorted({name for _, _, name in routes})
    path = "projects/p/topics/"
    topics = {each: RoutedTopic(each, path + each, ordering or Ordering(), **more) for each in names}
    listed = tuple(Route(aggregate, event, (name,)) for aggregate, event, name in routes)
    return Routing(topics=topics, routes=listed, unrouted=unrouted)


def _containers(routing: Routing, *more: dict[str, str]) -> list[object]:
    return [{"image": "a", "envs": [{"name": environment.ROUTING, "value": routing.to_json()}, *more]}]


def _told(old: Routing, new: Routing, *, relays: bool = True) -> list[Effect]:
    return list(of_routing(old.to_json(), new.to_json(), relays=relays))


def _words(old: Routes, new: Routes) -> str:
    return " ".join(each.what for each in _told(_routing(old), _routing(new)))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ([("Word", "*", "a")], [("Other", "*", "a")], "the consumers of `a` from all events of `Word`"),
        ([("Word", "*", "a"), ("Word", "*", "b")], [("Word", "*", "b")], "`a` from all events of `Word`"),
        ([("Word", "Added", "a")], [], "`a` from `Added` of `Word`"),
        (
            [("*", "Added", "a")],
            [("Word", "Added", "a")],
            "`a` from `Added` of every aggregate but `Added` of `Word`",
        ),
        ([("*", "*", "a")], [("Word", "*", "a")], "`a` from all events but all events of `Word`"),
        ([("Wo*", "*", "a")], [("Word", "*", "a")], "`a` from all events of `Wo*` but all events of `Word`"),
        ([("Wo*", "*", "a")], [("*d", "*", "a")], "`a` from all events of `Wo*`"),
        ([("Word", "*", "a"), ("*", "Added", "a")], [("*", "Added", "a")], "`a` from all events of `Word`"),
    ],
)
def test_who_gets_less_is_named(old: Routes, new: Routes, words: str) -> None:
    """The topic, and the aggregate and event types that no longer go there."""
    assert words in _words(old, new)
    assert max(each.severity for each in _told(_routing(old), _routing(new))) == Severity.STOPS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([("Word", "*", "a")], [("Word", "*", "a"), ("*", "*", "b")]),
        ([("Word", "*", "a")], [("*", "*", "a")]),
        ([("Word", "Added", "a"), ("Word", "*", "a")], [("Word", "*", "a")]),
        ([("Word", "*", "a")], [("Wo*", "*", "a")]),
        ([], [("Word", "*", "a")]),
        ([("Wo*", "*", "a"), ("Word", "*", "b")], [("Word", "*", "b"), ("W*", "*", "a")]),
    ],
)
def test_more_routes_are_harmless(old: Routes, new: Routes) -> None:
    """Whatever went to a topic still does, by the same route or by a wider one."""
    assert _told(_routing(old), _routing(new)) == []


def test_what_is_refused_from_now_on_is_named() -> None:
    """By `unrouted`, or by a route that goes; a route for all leaves nothing to refuse."""
    word = [("Word", "*", "a")]
    refusing = _told(_routing(word), _routing(word, "refuse"))
    shorter = _told(_routing([*word, ("Other", "*", "a")], "refuse"), _routing(word, "refuse"), relays=False)

    assert [each.severity for each in refusing] == [Severity.STOPS]
    assert "whoever appends all events, refused from then on" in refusing[0].what
    assert [each.what for each in shorter] == ["whoever appends all events of `Other`, refused from then on"]
    assert _told(_routing([("*", "*", "a")]), _routing([("*", "*", "a")], "refuse")) == []


def test_what_is_no_longer_refused_is_less_safe() -> None:
    """Nobody ever gets what no route takes."""
    word = [("Word", "*", "a")]

    assert [each.severity for each in _told(_routing(word, "refuse"), _routing(word))] == [Severity.LESS_SAFE]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (Ordering(), Ordering("none"), "may come in any order"),
        (Ordering(), Ordering("partitions", 8), "`a`: ordered by `8 partitions`, not by `aggregate`"),
        (Ordering("partitions", 8), Ordering("partitions", 9), "may overtake"),
        (Ordering("none"), Ordering(), ""),
    ],
)
def test_another_order_is_less_safe(old: Ordering, new: Ordering, words: str) -> None:
    """An aggregate's events get another key: those of before may be overtaken."""
    word = [("Word", "*", "a")]
    told = _told(_routing(word, ordering=old), _routing(word, ordering=new))

    assert [each.severity for each in told] == [Severity.LESS_SAFE] * bool(words)
    assert words in "".join(each.what for each in told)


def test_topics_that_change_alike_are_told_at_once() -> None:
    """One line for every topic that loses something, and one for all that are ordered anew."""
    both = [("Word", "*", "a"), ("Word", "*", "b")]
    lost = _told(_routing(both), _routing([]))
    reordered = _told(_routing(both), _routing(both, ordering=Ordering("partitions", 8)))

    (what,) = (each.what for each in lost)

    assert what == (
        "the consumers of `a` from all events of `Word`; of `b` from all events of `Word`: no route takes "
        "these there any more"
    )
    assert ["`a`, `b`: ordered by" in each.what for each in reordered] == [True]


def test_to_park_what_was_blocked_is_less_safe() -> None:
    """What follows then overtakes; the other way round it waits."""
    word = [("Word", "*", "a")]
    blocked, parked = _routing(word, unpublishable="block"), _routing(word)

    assert "overtake" in _told(blocked, parked)[0].what
    assert _told(parked, blocked) == []


def test_another_topic_of_the_name_is_another_topic() -> None:
    """A topic in another project gets what the first one no longer does."""
    old = _routing([("Word", "*", "a")])
    moved = {"a": RoutedTopic("a", "projects/q/topics/a", Ordering())}

    assert "`a`" in _told(old, Routing(topics=moved, routes=old.routes, unrouted="store-only"))[0].what


def test_a_routing_that_cannot_be_read_is_less_safe() -> None:
    """Nobody can tell where events would go, as of one that only the update knows."""
    text = _routing([("Word", "*", "a")]).to_json()

    assert [each.severity for each in of_routing(text, "{", relays=True)] == [Severity.LESS_SAFE]


_pattern = st.sampled_from(["*", "Word", "Wo*", "*rd", "Other"])
_routes = st.lists(st.tuples(_pattern, _pattern, st.sampled_from(["a", "b"])), max_size=4)


@given(old=_routes, new=_routes)
def test_no_event_stops_without_a_word(old: Routes, new: Routes) -> None:
    """Whichever event reached a topic and no longer does, the guard tells of that topic."""
    before, after = _routing(old), _routing(new)
    what = _words(old, new)
    types = ["Word", "Wort", "Rd", "Hard", "Other", "Wo d", "Any"]
    lost = {
        topic.name
        for aggregate in types
        for event in types
        for topic in before.topics_for(aggregate, event)
        if topic.path not in {each.path for each in after.topics_for(aggregate, event)}
    }

    assert {name for name in ("a", "b") if f"of `{name}` from" in what} >= lost


@pytest.mark.parametrize("kind", [SERVICE, POOL])
def test_the_heading_says_whom_it_stops(kind: str) -> None:
    """The heading names topic and types; the line shows the part of the table that differs."""
    other = [("Other", "*", "words")]
    before, after = _routing([("Word", "*", "words"), *other]), _routing(other)
    plan = changed(kind, "template.containers", _containers(before), _containers(after))
    summary = render("prod", plan, judge(plan))

    assert "loses no data, but stops the consumers of `words` from all events of `Word`" in summary
    assert '"aggregateType": "Word"' in summary


def test_a_service_without_the_relay_only_refuses() -> None:
    """Where a worker pool publishes, its own table says who gets what; it is told once."""
    off = {"name": environment.RELAY, "value": "off"}
    lists = (_containers(each, off) for each in (_routing([("Word", "*", "a")]), _routing([])))
    later = [{"image": "a", "envs": [{"name": environment.ROUTING, "value": LATER}]}]

    assert judge(changed(SERVICE, "template.containers", *lists)).notes == ()
    assert judge(changed(SERVICE, "template.containers", later, [{"image": "a", "envs": [off]}])).notes


def test_a_relay_that_moves_to_the_service_publishes_by_its_table() -> None:
    """The table of the service counts as soon as it publishes, before or after."""
    off, on = ({"name": environment.RELAY, "value": each} for each in ("off", "on"))
    before, after = _routing([("Word", "*", "a")]), _routing([])

    for values in ((off, on), (on, on)):
        lists = (_containers(each, relay) for each, relay in zip((before, after), values, strict=True))
        (note,) = judge(changed(SERVICE, "template.containers", *lists)).notes
        assert "the consumers of `a`" in note.effect.what
