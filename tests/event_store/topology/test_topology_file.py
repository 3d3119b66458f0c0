"""What `topology.yaml` says is what the bus becomes; a wrong file says where and how to fix it."""

import subprocess
import sys
from pathlib import Path

import pytest

from event_store.errors import ConfigurationError, TopologyError
from event_store.topology import Ordering, RetryPolicy, Subscription, Topic, Topology

ROOT = Path(__file__).parents[3]


def _topology(subscription: str = "", topic: str = "", rest: str = "") -> str:
    """Return a file with one topic and one subscription; further keys go where they belong."""
    return (
        f"topics:\n  - name: orders\n{topic}"
        f"subscriptions:\n  - name: orders-projection\n    topic: orders\n{subscription}{rest}"
    )


def test_the_repository_declares_the_bus_of_the_decision() -> None:
    """The committed file holds exactly the decision record's topics, subscription and routes."""
    topology = Topology.load(ROOT / "topology.yaml")

    assert topology.topics == (
        Topic("vocabulary-events", 7 * 86400),
        Topic("progress-events", 30 * 86400),
        Topic("integration-events", 7 * 86400),
    )
    assert topology.subscriptions == (
        Subscription(
            name="vocabulary-projection",
            topic="vocabulary-events",
            ack_deadline_seconds=60,
            retry_policy=RetryPolicy(10, 600),
            max_delivery_attempts=5,
        ),
    )
    assert topology.subscriptions[0].dead_letter_name == "vocabulary-projection-dead-letter"
    assert topology.unrouted == "refuse"


def test_what_is_left_out_has_its_documented_default() -> None:
    """A file of names alone is a whole bus."""
    topology = Topology.parse(_topology(), "t.yaml")

    assert topology.topics == (Topic("orders", 604_800, Ordering("aggregate"), "park"),)
    assert topology.subscriptions == (
        Subscription(
            name="orders-projection",
            topic="orders",
            ack_deadline_seconds=10,
            message_retention_seconds=604_800,
            retry_policy=RetryPolicy(10, 600),
            max_delivery_attempts=5,
            filter="",
            enable_message_ordering=True,
        ),
    )
    assert (topology.routes, topology.unrouted) == ((), "refuse")


def test_every_key_is_read() -> None:
    """No key of the syntax is accepted and then forgotten."""
    topology = Topology.parse(
        _topology(
            topic=(
                "    messageRetentionDuration: 12h\n    ordering: {partitions: 8}\n    unpublishable: block\n"
            ),
            subscription=(
                "    ackDeadlineSeconds: 600\n    messageRetentionDuration: 31d\n"
                "    retryPolicy: {minimumBackoff: 0s, maximumBackoff: 1m}\n"
                "    deadLetterPolicy: {maxDeliveryAttempts: 100}\n    filter: attributes.event_type = 'A'\n"
            ),
            rest=(
                "routes: [{aggregateType: Order, eventType: '*Paid', topics: [orders]}]\n"
                "unrouted: store-only\n"
            ),
        ),
        "t.yaml",
    )

    assert topology.topics == (Topic("orders", 43_200, Ordering("partitions", 8), "block"),)
    assert topology.routing("project-1").topics["orders"].unpublishable == "block"
    assert topology.subscriptions == (
        Subscription(
            name="orders-projection",
            topic="orders",
            ack_deadline_seconds=600,
            message_retention_seconds=2_678_400,
            retry_policy=RetryPolicy(0, 60),
            max_delivery_attempts=100,
            filter="attributes.event_type = 'A'",
        ),
    )
    assert [(r.aggregate_type, r.event_type, r.topics) for r in topology.routes] == [
        ("Order", "*Paid", ("orders",))
    ]
    assert topology.unrouted == "store-only"


def test_a_topic_without_order_has_subscriptions_without_order() -> None:
    """Ordered delivery costs throughput, so a topic that keeps no order does not pay for it."""
    topology = Topology.parse(_topology(topic="    ordering: none\n"), "t.yaml")

    assert not topology.subscriptions[0].enable_message_ordering


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "t.yaml: the file is empty: declare", id="empty file"),
        pytest.param(
            "- a\n", "t.yaml:1: the file is a list: write a mapping with the keys topics", id="list"
        ),
        pytest.param("topics: [\n", "t.yaml:2: not YAML (", id="no YAML"),
        pytest.param("a: 1\n---\nb: 2\n", "t.yaml:2: not YAML (", id="two documents"),
        pytest.param("a: \x00", "t.yaml: not YAML (", id="control character"),
        pytest.param("topics: " + "[" * 5000, "t.yaml: not YAML (", id="too deep"),
        pytest.param(
            "topics: []\ntopisc: []\n", "t.yaml:2: topisc is unknown: did you mean topics?", id="near miss"
        ),
        pytest.param(
            "x: 1\n", "t.yaml:1: x is unknown: use one of topics, subscriptions, routes", id="unknown"
        ),
        pytest.param("topics: []\ntopics: []\n", "t.yaml:2: topics is given twice: remove one", id="twice"),
        pytest.param("topics: {}\n", "t.yaml:1: topics is a mapping: write a list", id="no list"),
        pytest.param(
            "topics:\n  - ordering: none\n", "t.yaml:2: topics[0] has no name: add `name`", id="no name"
        ),
        pytest.param("topics: [{name: 1}]", "topics[0].name is '1': write a text", id="number as name"),
        pytest.param("topics: [{name: }]", "topics[0].name is empty: write a text", id="empty name"),
        pytest.param(
            "topics: [{name: 1a-b}]", "topics[0].name is '1a-b', not a valid name in", id="name of a digit"
        ),
        pytest.param("topics: [{name: ab}]", "not a valid name in Pub/Sub: write 3 to 255", id="short name"),
        pytest.param(f"topics: [{{name: {'a' * 256}}}]", "write 3 to 255 letters", id="long name"),
        pytest.param(
            "topics: [{name: Google-x}]", "beginning with a letter and not with goog", id="name of Google"
        ),
        pytest.param(
            "topics:\n  - name: abc\n  - name: abc\n",
            "t.yaml:3: topics[1] has the name abc, which is taken: give it another name",
            id="topic twice",
        ),
        pytest.param(
            _topology(topic="    messageRetentionDuration: 9m\n"),
            "t.yaml:3: topics[0].messageRetentionDuration is 9m, outside 10m to 31d: write a whole",
            id="retention too short",
        ),
        pytest.param(
            _topology(topic="    messageRetentionDuration: 32d\n"), "32d, outside 10m to 31d", id="too long"
        ),
        pytest.param(
            _topology(topic="    messageRetentionDuration: 600\n"),
            "is '600', not a duration: write a whole number and a unit (s, m, h or d)",
            id="no unit",
        ),
        pytest.param(
            _topology(topic="    ordering: total\n"),
            "t.yaml:3: topics[0].ordering is 'total': write one of aggregate, none or `{partitions: N}`",
            id="unknown ordering",
        ),
        pytest.param(
            _topology(topic="    unpublishable: drop\n"),
            "t.yaml:3: topics[0].unpublishable is 'drop': write one of park, block",
            id="unknown policy",
        ),
        pytest.param(
            _topology(topic="    ordering: none\n    unpublishable: block\n"),
            "t.yaml:4: topics[0].unpublishable is 'block', but the topic keeps no order",
            id="nothing to block",
        ),
        pytest.param(
            _topology(topic="    ordering: {partitions: 0}\n"),
            "topics[0].ordering.partitions is 0, outside 1 to 100000",
            id="no partitions",
        ),
        pytest.param(
            _topology(subscription="    ackDeadlineSeconds: 9\n"),
            "t.yaml:6: subscriptions[0].ackDeadlineSeconds is 9, outside 10 to 600: write a whole",
            id="ack deadline",
        ),
        pytest.param(
            _topology(subscription="    ackDeadlineSeconds: 010\n"), "is '010': write a whole", id="octal"
        ),
        pytest.param(
            _topology(subscription="    ackDeadlineSeconds: yes\n"), "is 'yes': write a whole", id="boolean"
        ),
        pytest.param(
            _topology(subscription="    ackDeadlineSeconds: 10s\n"), "is '10s': write a whole", id="unit"
        ),
        pytest.param(
            _topology(subscription="    messageRetentionDuration: 1s\n"), "1s, outside 10m to 31d", id="short"
        ),
        pytest.param(
            _topology(subscription="    retryPolicy: {maximumBackoff: 601s}\n"),
            "t.yaml:6: subscriptions[0].retryPolicy.maximumBackoff is 601s, outside 0s to 10m",
            id="backoff",
        ),
        pytest.param(
            _topology(subscription="    retryPolicy: {maximumBackoff: 9s}\n"),
            "has a minimumBackoff of 10s, above its maximumBackoff of 9s: lower the one or raise the other",
            id="backoff upside down",
        ),
        pytest.param(
            _topology(subscription="    deadLetterPolicy: {maxDeliveryAttempts: 4}\n"),
            "subscriptions[0].deadLetterPolicy.maxDeliveryAttempts is 4, outside 5 to 100",
            id="attempts",
        ),
        pytest.param(
            _topology(subscription=f"    filter: {'é' * 129}\n"),
            "subscriptions[0].filter has 258 bytes as a filter: shorten it to at most 256 bytes",
            id="filter in bytes",
        ),
        pytest.param(
            "topics: [{name: abc}]\nsubscriptions:\n  - {name: def, topic: abd}\n",
            "t.yaml:3: subscriptions[0].topic is 'abd': write one of abc",
            id="topic of a subscription",
        ),
        pytest.param(
            f"topics: [{{name: abc}}]\nsubscriptions:\n  - {{name: {'a' * 244}, topic: abc}}\n",
            "write 3 to 243 letters",
            id="no room for dead letters",
        ),
        pytest.param(
            _topology(rest="  - {name: orders-projection-dead-letter, topic: orders}\n"),
            "t.yaml:6: subscriptions[1] has the name orders-projection-dead-letter, which a subscription",
            id="name of dead letters",
        ),
        pytest.param(
            _topology(topic="  - name: orders-projection-dead-letter\n"),
            "t.yaml:3: topics[1] has the name orders-projection-dead-letter, which a subscription",
            id="topic named like dead letters",
        ),
        pytest.param(
            _topology(rest="routes:\n  - {eventType: A, topics: [orderz]}\n"),
            "t.yaml:7: routes[0].topics[0] is 'orderz': write one of orders",
            id="topic of a route",
        ),
        pytest.param(
            _topology(rest="routes: [{topics: [orders]}]\n"),
            "routes[0] matches nothing: add `aggregateType`, `eventType` or both",
            id="route without a type",
        ),
        pytest.param(
            _topology(rest="routes: [{eventType: A, topics: []}]\n"),
            "routes[0].topics is empty: name at least one topic, or remove the route",
            id="route to nowhere",
        ),
        pytest.param(
            _topology(rest="unrouted: drop\n"),
            "t.yaml:6: unrouted is 'drop': write one of refuse, store-only",
            id="unrouted",
        ),
    ],
)
def test_a_wrong_file_says_where_what_and_how_to_fix_it(text: str, message: str) -> None:
    """File, line and field, what is wrong, what is allowed and what to do, for each mistake by name."""
    with pytest.raises(TopologyError) as raised:
        Topology.parse(text, "t.yaml")

    assert message in str(raised.value)
    assert "\n" not in str(raised.value).strip()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a directory and a file of another encoding are told apart."""
    (tmp_path / "latin.yaml").write_bytes("topics: [ü]".encode("latin-1"))

    with pytest.raises(TopologyError, match=r"missing\.yaml: the file cannot be read \(No such file"):
        Topology.load(tmp_path / "missing.yaml")
    with pytest.raises(TopologyError, match=r"the file cannot be read \(Is a directory\): give the path"):
        Topology.load(tmp_path)
    with pytest.raises(TopologyError, match="the file is not UTF-8 text: save it as UTF-8"):
        Topology.load(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    "project", ["", "Upper-case", "a" * 31, "short", "ends-with-", "pro/ject", "1digits"]
)
def test_a_project_id_that_google_refuses_is_refused(project: str) -> None:
    """A wrong project would otherwise first show as a publish that fails."""
    with pytest.raises(ConfigurationError, match="invalid project id"):
        Topology.load(ROOT / "topology.yaml").routing(project)


def test_the_topology_is_importable_without_grpc_or_a_database() -> None:
    """A Pulumi program imports it, and must not load the service's libraries."""
    script = (
        "import sys, event_store.topology, event_store.environment; "
        "print([m for m in ('grpc', 'psycopg', 'google', 'orjson') if m in sys.modules])"
    )

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
