"""Where an event goes, and how that knowledge travels."""

import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from event_store.errors import ConfigurationError
from event_store.topology import Ordering, Route, RoutedTopic, Routing, Topology

ROOT = Path(__file__).parents[3]

# A busy machine is slow; that is no failure.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_orderings = st.one_of(
    st.sampled_from([Ordering("aggregate"), Ordering("none")]),
    st.builds(Ordering, st.just("partitions"), st.integers(1, 100_000)),
)


@st.composite
def _routings(draw: st.DrawFn) -> Routing:
    names = draw(st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True))
    policies = st.sampled_from(["park", "block"])
    topics = {}
    for name in names:
        ordering = draw(_orderings)
        policy = draw(policies) if ordering.kind != "none" else "park"
        topics[name] = RoutedTopic(name, f"projects/p/topics/{name}", ordering, policy)
    targets = st.lists(st.sampled_from(names), min_size=1, max_size=3).map(tuple)
    routes = draw(st.lists(st.builds(Route, st.text(), st.text(), targets), max_size=4))
    return Routing(topics, tuple(routes), draw(st.sampled_from(["refuse", "store-only"])))


def _routing(*routes: Route, unrouted: str = "refuse") -> Routing:
    topics = {
        name: RoutedTopic(name, f"projects/project/topics/{name}", Ordering()) for name in ("first", "second")
    }
    return Routing(topics, routes, unrouted)


def _names(routing: Routing, aggregate_type: str, event_type: str) -> list[str]:
    return [topic.name for topic in routing.topics_for(aggregate_type, event_type)]


@_PATIENT
@given(_routings())
def test_a_routing_survives_its_json(routing: Routing) -> None:
    """What infrastructure hands over is what the service gets."""
    assert Routing.from_json(routing.to_json()) == routing


def test_a_routing_of_an_earlier_release_parks() -> None:
    """JSON that says nothing of what is unpublishable is read, and such a topic is written as it was."""
    text = '{"topics":{"a":{"path":"p","ordering":"aggregate"}},"routes":[],"unrouted":"refuse"}'

    assert Routing.from_json(text).topics["a"].unpublishable == "park"
    assert Routing.from_json(text).to_json() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "nonsense",
        '{"topics":{"a":{"path":"p","ordering":"total"}},"routes":[],"unrouted":"refuse"}',
        '{"topics":{"a":{"path":"p","ordering":{"partitions":0}}},"routes":[],"unrouted":"refuse"}',
        '{"topics":{"a":{"path":"p","ordering":{"partitions":true}}},"routes":[],"unrouted":"refuse"}',
        '{"topics":{"a":{"path":1,"ordering":"none"}},"routes":[],"unrouted":"refuse"}',
        '{"topics":{"a":{"path":"p","ordering":"none","unpublishable":"block"}},"routes":[],"unrouted":"refuse"}',
        '{"topics":{"a":{"path":"p","ordering":"aggregate","unpublishable":1}},"routes":[],"unrouted":"refuse"}',
        '{"topics":{},"routes":[{"aggregateType":"A","eventType":"*","topics":["a"]}],"unrouted":"refuse"}',
        '{"topics":{},"routes":[],"unrouted":"drop"}',
        '{"topics":{},"routes":[],"unrouted":["refuse"]}',
        "[" * 100_000,
    ],
)
def test_json_of_something_else_is_refused_with_the_variable_that_holds_it(text: str) -> None:
    """A container with a wrong environment says which variable to set to what."""
    with pytest.raises(ConfigurationError, match=r"EVENT_STORE_ROUTING is not a routing .*: set it to what"):
        Routing.from_json(text)


def test_the_routes_of_the_decision() -> None:
    """Vocabulary and Progress go to their topics, and what begins with Integration to a second one."""
    routing = Topology.load(ROOT / "topology.yaml").routing("event-store-local")

    assert _names(routing, "Vocabulary", "WordAdded") == ["vocabulary-events"]
    assert _names(routing, "Progress", "LessonFinished") == ["progress-events"]
    assert _names(routing, "Vocabulary", "IntegrationWordAdded") == [
        "vocabulary-events",
        "integration-events",
    ]
    assert _names(routing, "Order", "IntegrationOrderPlaced") == ["integration-events"]
    assert routing.rejects("Order", "OrderPlaced")
    assert not routing.rejects("Vocabulary", "WordAdded")
    assert routing.topics["progress-events"].path == "projects/event-store-local/topics/progress-events"


def test_an_event_goes_to_each_topic_once() -> None:
    """Two routes to the same topic are no two messages."""
    routing = _routing(Route("A", "*", ("second", "first")), Route("*", "X", ("first",)))

    assert _names(routing, "A", "X") == ["first", "second"]


def test_both_types_of_a_route_must_match() -> None:
    """A route of two types is narrower than a route of one."""
    routing = _routing(Route("A", "X*", ("first",)))

    assert _names(routing, "A", "Xy") == ["first"]
    assert _names(routing, "B", "Xy") == []
    assert _names(routing, "A", "Yx") == []


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("Order", "Order", True),
        ("Order", "Orders", False),
        ("Order", "order", False),
        ("Order*", "Order", True),
        ("*Placed", "OrderPlaced", True),
        ("*Placed", "OrderPlacedTwice", False),
        ("O*P*d", "OrderPlaced", True),
        ("*", "anything\nat all", True),
        ("Order.?[a]", "Order.?[a]", True),
        ("Order.*", "OrderX", False),
    ],
)
def test_a_star_is_the_only_pattern(pattern: str, text: str, matches: bool) -> None:
    """Everything but `*` stands for itself."""
    assert bool(_routing(Route("*", pattern, ("first",))).topics_for("A", text)) is matches


def test_store_only_refuses_nothing_and_publishes_nothing() -> None:
    """An unmatched event of a store-only topology is stored and passed over."""
    routing = _routing(unrouted="store-only")

    assert not routing.rejects("A", "X")
    assert routing.topics_for("A", "X") == ()


def test_types_invented_by_callers_do_not_fill_the_memory() -> None:
    """Answers are remembered, but not without bound."""
    routing = _routing(Route("A", "*", ("first",)))

    for number in range(10_001):
        assert routing.rejects("B", str(number))

    assert len(routing._answers) <= 10_000
    assert _names(routing, "A", "X") == ["first"]


@_PATIENT
@given(st.uuids(), st.integers(1, 100_000))
def test_a_partition_is_the_same_in_every_process(aggregate_id: object, partitions: int) -> None:
    """The bucket of an aggregate depends on its id and the number of partitions alone."""
    key = Ordering("partitions", partitions).key(str(aggregate_id))

    assert key == f"partition-{zlib.crc32(str(aggregate_id).encode()) % partitions}"


def test_the_ordering_key_of_each_kind() -> None:
    """The aggregate's id, a bucket of aggregates, or none."""
    aggregate_id = "0198f5a2-0000-7000-8000-000000000001"

    assert Ordering("aggregate").key(aggregate_id) == aggregate_id
    assert Ordering("partitions", 1).key(aggregate_id) == "partition-0"
    assert Ordering("none").key(aggregate_id) == ""


def test_a_stack_can_override_every_topics_ordering() -> None:
    """One setting bounds the keys of a whole stack."""
    topology = Topology.load(ROOT / "topology.yaml")

    routing = topology.routing("event-store-local", Ordering("partitions", 64))

    assert {topic.ordering for topic in routing.topics.values()} == {Ordering("partitions", 64)}
