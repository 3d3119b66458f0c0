"""Everything else that a topology can say is refused by name where Pub/Sub would refuse it, and arrives."""

import pytest

from event_store.errors import TopologyError
from event_store.topology import Topology
from event_store.topology.delivery import BigQueryExport, CloudStorageExport, Push

KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"


def topology(subscription: str = "", topic: str = "", rest: str = "") -> Topology:
    return Topology.parse(
        f"""
topics:
  - name: words
{topic}
subscriptions:
  - name: reader
    topic: words
{subscription}
{rest}
""",
        "t.yaml",
    )


def test_a_push_arrives_whole() -> None:
    """Endpoint, audience and the service that the push identity may call."""
    made = topology("    pushConfig: {pushEndpoint: 'https://a.b/c', audience: words, service: mailer}")

    assert made.subscriptions[0].delivery == Push(
        endpoint="https://a.b/c", audience="words", service="mailer"
    )


def test_exports_arrive_whole() -> None:
    """To a table and to a bucket, with their limits as numbers."""
    rows = topology("    bigqueryConfig: {table: words-project.set.t, useTableSchema: true}")
    objects = topology(
        "    cloudStorageConfig: "
        "{bucket: words, maxDuration: 1m, maxBytes: 1000, maxMessages: 1000, format: text}"
    )

    assert rows.subscriptions[0].delivery == BigQueryExport(
        table="words-project.set.t", use_table_schema=True
    )
    assert objects.subscriptions[0].delivery == CloudStorageExport(
        bucket="words", maximum_seconds=60, maximum_bytes=1000, maximum_messages=1000, form="text"
    )


def test_an_export_holds_its_messages_until_the_object_is_closed() -> None:
    """Without an ack deadline of its own an export to objects has the one that Google asks for."""
    (made,) = topology("    cloudStorageConfig: {bucket: words, maxDuration: 10m}").subscriptions

    assert made.ack_deadline_seconds == 600


def test_types_become_a_filter() -> None:
    """Exact ones and beginnings, of aggregates and of events; both lists must pass."""
    made = topology("    aggregateTypes: [Vocabulary]\n    eventTypes: [WordAdded, 'Lesson*']")

    assert made.subscriptions[0].filter == (
        '(attributes.aggregate_type = "Vocabulary") AND '
        '(attributes.event_type = "WordAdded" OR hasPrefix(attributes.event_type, "Lesson"))'
    )


def test_generations_have_names_of_their_own() -> None:
    """The first one has the plain name; those that are kept keep theirs."""
    (made,) = topology("    generation: 3\n    keptGenerations: [1, 2]").subscriptions

    assert made.physical_name == "reader-g3"
    assert [made.name_of(each) for each in made.kept_generations] == ["reader", "reader-g2"]
    assert made.dead_letter_name == "reader-dead-letter"


@pytest.mark.parametrize(
    ("subscription", "message"),
    [
        (
            "    pushConfig: {pushEndpoint: 'http://a'}",
            "pushConfig.pushEndpoint is 'http://a': write an https",
        ),
        ("    pushConfig: {}", "pushConfig has no pushEndpoint"),
        (
            "    pushConfig: {pushEndpoint: 'https://a'}\n    enableExactlyOnceDelivery: true",
            "enableExactlyOnceDelivery is only for pull subscriptions",
        ),
        (
            "    pushConfig: {pushEndpoint: 'https://a'}\n    bigqueryConfig: {table: p-12345.d.t}",
            "bigqueryConfig excludes pushConfig: remove one",
        ),
        ("    bigqueryConfig: {table: d.t}", "bigqueryConfig.table is 'd.t': write a table as project"),
        (
            "    bigqueryConfig: {table: p-12345.d.t, useTopicSchema: true, useTableSchema: true}",
            "has both useTopicSchema and useTableSchema",
        ),
        (
            "    bigqueryConfig: {table: p-12345.d.t, dropUnknownFields: true}",
            "dropUnknownFields without a schema",
        ),
        (
            "    bigqueryConfig: {table: p-12345.d.t, useTopicSchema: true}",
            "has useTopicSchema, but the topic words has no schema: give the topic",
        ),
        ("    cloudStorageConfig: {bucket: A}", "cloudStorageConfig.bucket is 'A'"),
        (
            "    cloudStorageConfig: {bucket: abc, maxDuration: 2m}\n    ackDeadlineSeconds: 119",
            "ackDeadlineSeconds is 119, below cloudStorageConfig.maxDuration of 120s",
        ),
        ("    cloudStorageConfig: {bucket: abc, filenameSuffix: a/}", "filenameSuffix is 'a/'"),
        ("    cloudStorageConfig: {bucket: abc, maxDuration: 30s}", "maxDuration is 30s, outside 1m to 10m"),
        ("    cloudStorageConfig: {bucket: abc, maxMessages: 10}", "maxMessages is 10, outside 1000"),
        ("    eventTypes: []", "eventTypes is empty: list a type, or remove the key"),
        ("    eventTypes: ['a*b']", "eventTypes[0] is 'a*b': write a type, or a prefix followed by"),
        ("    eventTypes: [A]\n    filter: attributes:a", "eventTypes excludes filter"),
        (
            f"    eventTypes: [{'A' * 100}, {'B' * 100}, C]",
            "bytes as a filter: shorten it to at most 256 bytes",
        ),
        ("    labels: {Team: a}", "labels.Team has the key 'Team'"),
        ("    labels: {goog-a: a}", "a key begins with a letter, not with goog"),
        ("    labels: [a]", "labels is a list: write a mapping of labels"),
        ("    consumers: [allUsers]", "consumers[0] is 'allUsers': write an IAM member"),
        (
            "    consumers: ['user:a@b.c', 'user:a@b.c']",
            "consumers[1] is user:a@b.c again: list each member once",
        ),
        ("    generation: 0", "generation is 0, outside 1 to 999"),
        (
            "    keptGenerations: [1]",
            "keptGenerations[0] is 1, but generation is 1: list only earlier generations",
        ),
        ("    generation: 3\n    keptGenerations: [1, 1]", "keptGenerations[1] is 1, but generation is 3"),
        ("    retainAckedMessages: yes", "retainAckedMessages is 'yes': write true or false"),
    ],
)
def test_what_a_subscription_cannot_be_is_refused(subscription: str, message: str) -> None:
    """The message names the field and says what is allowed."""
    with pytest.raises(TopologyError) as refused:
        topology(subscription)

    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("topic", "rest", "message"),
    [
        ("    kmsKeyName: key", "", "kmsKeyName is 'key': write a key as projects/P/locations/L"),
        ("    earlierKmsKeyNames: [key]", "", "earlierKmsKeyNames[0] is 'key': write a key as projects/P"),
        (f"    earlierKmsKeyNames: {KEY}", "", "earlierKmsKeyNames is text: write a list"),
        (f"    earlierKmsKeyNames: [{KEY}, {KEY}]", "", f"earlierKmsKeyNames[1] is {KEY} again: list each"),
        (
            f"    earlierKmsKeyNames: [{KEY}]\n    kmsKeyName: {KEY}",
            "",
            "earlierKmsKeyNames[0] is the topic's kmsKeyName: list only earlier keys",
        ),
        (
            "    messageStoragePolicy: {allowedPersistenceRegions: []}",
            "",
            "allowedPersistenceRegions is empty: list a region",
        ),
        (
            "    messageStoragePolicy: {allowedPersistenceRegions: [Europe]}",
            "",
            "allowedPersistenceRegions[0] is 'Europe': write a region",
        ),
        ("    schemaSettings: {schema: event}", "", "schemaSettings.schema is 'event'"),
        (
            "",
            "schemas: [{name: event, type: XML, definition: a}]",
            "schemas[0].type is 'XML': write one of AVRO, PROTOCOL_BUFFER",
        ),
        (
            "",
            "schemas: [{name: event, type: AVRO, definition: a}, {name: event, type: AVRO, definition: a}]",
            "schemas[1] has the name event, which is taken",
        ),
    ],
)
def test_what_a_topic_or_a_schema_cannot_be_is_refused(topic: str, rest: str, message: str) -> None:
    """The message names the field and says what is allowed."""
    with pytest.raises(TopologyError) as refused:
        topology(topic=topic, rest=rest)

    assert message in str(refused.value)


def test_a_generation_takes_no_name_of_another() -> None:
    """`reader-g2` is the second generation of `reader`, or a subscription of its own, not both."""
    with pytest.raises(TopologyError, match="has the name reader-g2 in generation 2, which is taken"):
        topology("    generation: 2\n  - name: reader-g2\n    topic: words")


@pytest.mark.parametrize(
    ("topic", "keys"),
    [
        ("", ()),
        (f"    kmsKeyName: {KEY}", (KEY,)),
        (f"    earlierKmsKeyNames: [{KEY}1, {KEY}2]", (f"{KEY}1", f"{KEY}2")),
        (f"    earlierKmsKeyNames: [{KEY}1]\n    kmsKeyName: {KEY}", (KEY, f"{KEY}1")),
    ],
)
def test_a_topic_knows_all_keys_that_its_messages_may_need(topic: str, keys: tuple[str, ...]) -> None:
    """The present one first, and earlier ones also where it has gone back to Google's own."""
    assert topology(topic=topic).topics[0].kms_keys == keys
