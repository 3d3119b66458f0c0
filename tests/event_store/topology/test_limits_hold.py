"""No file that is accepted can be refused by Google."""

import string
from contextlib import suppress

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from event_store.errors import TopologyError
from event_store.topology import Topology

# A busy machine is slow; that is no failure.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 3_000_000),
    st.floats(),
    st.text(max_size=8),
    st.just("x" * 300),
)
_names = st.one_of(
    st.sampled_from(["abc", "abd", "abc-dead-letter", "goog-x", "a" * 243, "a" * 244, "a" * 255, "a" * 256]),
    st.text(string.ascii_letters + string.digits + "-_.~+%/ ü", max_size=6),
    _scalars,
)
_durations = st.one_of(
    st.builds(lambda n, unit: f"{n}{unit}", st.integers(0, 3_000_000), st.sampled_from("smhdw")), _scalars
)
_numbers = st.one_of(st.integers(-1, 700), _scalars)


def _mapping(**strategies: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.fixed_dictionaries({}, optional=strategies)


_topics = _mapping(
    name=_names,
    messageRetentionDuration=_durations,
    ordering=st.one_of(st.sampled_from(["aggregate", "none"]), _mapping(partitions=_numbers), _scalars),
    labels=st.one_of(st.dictionaries(_names, _names, max_size=3), _scalars),
    kmsKeyName=_names,
    earlierKmsKeyNames=st.lists(_names, max_size=2),
    messageStoragePolicy=_mapping(
        allowedPersistenceRegions=st.lists(_names, max_size=2), enforceInTransit=_scalars
    ),
    schemaSettings=_mapping(schema=_names, encoding=_names),
)
_lists = st.one_of(st.lists(_names, max_size=3), _scalars)
_subscriptions = _mapping(
    name=_names,
    topic=_names,
    ackDeadlineSeconds=_numbers,
    messageRetentionDuration=_durations,
    retryPolicy=_mapping(minimumBackoff=_durations, maximumBackoff=_durations),
    deadLetterPolicy=_mapping(maxDeliveryAttempts=_numbers),
    filter=st.one_of(st.text(max_size=300), _scalars),
    eventTypes=_lists,
    aggregateTypes=_lists,
    labels=st.one_of(st.dictionaries(_names, _names, max_size=3), _scalars),
    consumers=_lists,
    generation=_numbers,
    keptGenerations=st.lists(_numbers, max_size=3),
    enableExactlyOnceDelivery=_scalars,
    retainAckedMessages=_scalars,
    pushConfig=_mapping(pushEndpoint=_names, audience=_names, service=_names),
    bigqueryConfig=_mapping(table=_names, useTopicSchema=_scalars, dropUnknownFields=_scalars),
    cloudStorageConfig=_mapping(bucket=_names, maxDuration=_durations, maxBytes=_numbers, format=_names),
)
_schemas = _mapping(name=_names, type=_names, definition=_names)
_routes = _mapping(aggregateType=_names, eventType=_names, topics=st.lists(_names, max_size=3))
_files = _mapping(
    topics=st.lists(_topics, max_size=3),
    subscriptions=st.lists(_subscriptions, max_size=3),
    routes=st.lists(_routes, max_size=3),
    schemas=st.lists(_schemas, max_size=2),
    unrouted=st.one_of(st.sampled_from(["refuse", "store-only"]), _scalars),
)


@_PATIENT
@given(_files)
def test_no_accepted_file_violates_a_limit_of_google(content: object) -> None:
    """Whatever a file says, it is refused with our error or every value is one that Pub/Sub takes."""
    try:
        topology = Topology.parse(yaml.safe_dump(content, allow_unicode=True), "t.yaml")
    except TopologyError:
        return
    topics = [topic.name for topic in topology.topics]
    subscriptions = [subscription.name for subscription in topology.subscriptions]
    dead_letters = [subscription.dead_letter_name for subscription in topology.subscriptions]
    _assert_names([*topics, *dead_letters])
    _assert_names([*subscriptions, *dead_letters])
    for topic in topology.topics:
        assert 600 <= topic.message_retention_seconds <= 2_678_400
    for subscription in topology.subscriptions:
        assert subscription.topic in topics
        assert 10 <= subscription.ack_deadline_seconds <= 600
        assert 600 <= subscription.message_retention_seconds <= 2_678_400
        policy = subscription.retry_policy
        assert 0 <= policy.minimum_backoff_seconds <= policy.maximum_backoff_seconds <= 600
        assert 5 <= subscription.max_delivery_attempts <= 100
        assert len(subscription.filter.encode()) <= 256
    for route in topology.routes:
        assert route.topics
        assert set(route.topics) <= set(topics)


@_PATIENT
@given(st.text())
def test_any_text_is_parsed_or_refused_with_our_error(text: str) -> None:
    """No text at all makes the parser fail in another way."""
    with suppress(TopologyError):
        Topology.parse(text, "t.yaml")


def _assert_names(names: list[str]) -> None:
    allowed = set(string.ascii_letters + string.digits + "-_.~+%")
    assert len(set(names)) == len(names)
    for name in names:
        assert 3 <= len(name) <= 255
        assert name[0] in string.ascii_letters
        assert set(name) <= allowed
        assert not name.lower().startswith("goog")
