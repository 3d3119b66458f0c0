"""What the changes of topics, subscriptions and schemas do, one way and back."""

import pytest

from event_store_infra.preview.effects.bus.pubsub import SCHEMA, SUBSCRIPTION, TOPIC
from event_store_infra.preview.effects.effect import Severity
from tests.event_store_infra.preview.effects.changed import changed
from tests.event_store_infra.preview.effects.judged import (
    LATER,
    LESS_SAFE,
    LOSES,
    STOPS,
    Case,
    effects_of,
    must_say,
    must_say_nothing,
)
from tests.event_store_infra.preview.effects.properties import properties_of

KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
REGIONS = "allowedPersistenceRegions"
ENFORCED = {"enforceInTransit": True}
UDF = [{"javascriptUdf": {"functionName": "f", "code": "function f(message) { return null }"}}]
OTHER_UDF = [{"javascriptUdf": {"functionName": "f", "code": "function f(message) { return message }"}}]
OFF = [{**UDF[0], "disabled": True}]
SHAPE = {"schema": "projects/p/schemas/s", "encoding": "JSON"}
CLOUD_SOURCE = "ingestionDataSourceSettings.cloudStorage"
SOURCES = tuple(
    f"ingestionDataSourceSettings.{each}."
    for each in ("awsKinesis", "awsMsk", "azureEventHubs", "confluentCloud")
)
TABLE, BUCKET, ENDPOINT = "p.d.rows", "archive", "https://a.example/push"
TOKEN = {"serviceAccountEmail": "push@p.example", "audience": "a"}
ROWS, OBJECTS, PUSH = {"table": TABLE}, {"bucket": BUCKET}, {"pushEndpoint": ENDPOINT}
AVRO = {**OBJECTS, "avroConfig": {"writeMetadata": True}}
DEAD = {"deadLetterTopic": "projects/p/topics/dead", "maxDeliveryAttempts": 50}

# One way only: the way back is harmless.
TOPIC_CASES: list[Case] = [
    ("deletionPolicy", "PREVENT", None, LESS_SAFE, "a deletion in the program"),
    ("deletionPolicy", "ABANDON", "DELETE", LESS_SAFE, "a deletion in the program"),
    ("kmsKeyName", KEY, None, LESS_SAFE, "encrypted with the former key"),
    ("messageRetentionDuration", "604800s", "600s", LOSES, "older than the new duration"),
    ("messageRetentionDuration", "600s", None, LOSES, "nobody can seek to"),
    ("messageStoragePolicy", {REGIONS: ["europe-west1"]}, None, LESS_SAFE, "in any region"),
    ("messageStoragePolicy", {REGIONS: ["a"]}, {REGIONS: ["a", "b"]}, LESS_SAFE, "elsewhere, too"),
    (
        "messageStoragePolicy",
        {REGIONS: ["a"]},
        {REGIONS: ["a"], **ENFORCED},
        STOPS,
        "publishers and consumers",
    ),
    ("ingestionDataSourceSettings", {"awsKinesis": {"streamArn": "s"}}, None, STOPS, "by the former source"),
    (f"{CLOUD_SOURCE}.bucket", "incoming", None, STOPS, "no message comes in there"),
    (f"{CLOUD_SOURCE}.avroFormat", {"a": 1}, None, STOPS, "no message comes in there"),
    (f"{CLOUD_SOURCE}.pubsubAvroFormat", {"a": 1}, None, STOPS, "no message comes in there"),
    (f"{CLOUD_SOURCE}.textFormat.delimiter", ";", None, STOPS, "no message comes in there"),
]
# Each way does something.
TOPIC_WAYS: list[Case] = [
    ("kmsKeyName", KEY, "another", LESS_SAFE, "encrypted with the former key"),
    (
        "messageStoragePolicy",
        {REGIONS: ["a", "b"], **ENFORCED},
        {REGIONS: ["a"], **ENFORCED},
        STOPS,
        "regions",
    ),
    ("messageStoragePolicy", {REGIONS: ["a"], **ENFORCED}, {REGIONS: ["b"], **ENFORCED}, STOPS, "regions"),
    ("messageStoragePolicy", {REGIONS: ["a"]}, {REGIONS: ["b"]}, LESS_SAFE, "elsewhere"),
    ("messageStoragePolicy", {REGIONS: ["a"]}, {REGIONS: [LATER]}, STOPS, "publishers and consumers"),
    ("messageTransforms", None, UDF, LOSES, "drops or changes of each message"),
    ("messageTransforms", UDF, OTHER_UDF, LOSES, "drops or changes"),
    ("messageTransforms", OFF, UDF, LOSES, "drops or changes"),
    ("messageTransforms", UDF, [{"javascriptUdf": {"code": LATER}}], LOSES, "drops or changes"),
    ("messageTransforms", UDF, None, LESS_SAFE, "dropped or changed before"),
    ("messageTransforms", UDF, OFF, LESS_SAFE, "dropped or changed before"),
    ("messageTransforms", [*UDF, *OTHER_UDF], UDF, LESS_SAFE, "dropped or changed before"),
    ("schemaSettings", None, SHAPE, STOPS, "that do not match the schema"),
    ("schemaSettings", SHAPE, None, LESS_SAFE, "of any form"),
    ("schemaSettings", SHAPE, {**SHAPE, "schema": "other"}, STOPS, "do not match the other schema"),
    ("schemaSettings", SHAPE, {**SHAPE, "encoding": "BINARY"}, STOPS, "in the former encoding"),
    ("schemaSettings", SHAPE, {**SHAPE, "firstRevisionId": "b"}, STOPS, "only earlier revisions"),
    ("schemaSettings", SHAPE, {**SHAPE, "lastRevisionId": "b"}, STOPS, "only later revisions"),
    (f"{CLOUD_SOURCE}.matchGlob", None, "*.json", STOPS, "no longer taken in"),
    (f"{CLOUD_SOURCE}.minimumObjectCreateTime", None, "2030-01-01T00:00:00Z", STOPS, "no longer taken in"),
    ("ingestionDataSourceSettings.platformLogsSettings.severity", "INFO", None, LESS_SAFE, "be logged"),
]
SUBSCRIPTION_CASES: list[Case] = [
    ("ackDeadlineSeconds", 60, None, LESS_SAFE, "in the shorter time"),
    ("deletionPolicy", "PREVENT", "DELETE", LESS_SAFE, "a deletion in the program"),
    ("enableExactlyOnceDelivery", True, None, LESS_SAFE, "come again after they were acknowledged"),
    ("expirationPolicy.ttl", "", "2678400s", LOSES, "the subscription with its backlog"),
    ("expirationPolicy", {"ttl": ""}, None, LOSES, "the subscription with its backlog"),
    ("expirationPolicy", None, {"ttl": "86400s"}, LOSES, "the subscription with its backlog"),
    ("expirationPolicy.ttl", "31536000s", "86400s", LOSES, "nobody has pulled from it for so long"),
    ("messageRetentionDuration", "2678400s", None, LOSES, "the unacknowledged messages"),
    ("messageRetentionDuration", None, "600s", LOSES, "the unacknowledged messages"),
    ("retainAckedMessages", True, False, LOSES, "the acknowledged messages"),
    ("retainAckedMessages", True, None, LOSES, "the acknowledged messages"),
    ("deadLetterPolicy", DEAD, None, STOPS, "every ordering key behind a message"),
    ("deadLetterPolicy", DEAD, {**DEAD, "maxDeliveryAttempts": 5}, LESS_SAFE, "after fewer failures"),
    (
        "deadLetterPolicy",
        DEAD,
        {"deadLetterTopic": DEAD["deadLetterTopic"]},
        LESS_SAFE,
        "after fewer failures",
    ),
    (
        "retryPolicy",
        {"minimumBackoff": "10s", "maximumBackoff": "600s"},
        None,
        LESS_SAFE,
        "comes again sooner",
    ),
    ("retryPolicy", {}, None, LESS_SAFE, "comes again sooner"),
    ("retryPolicy.maximumBackoff", "600s", "20s", LESS_SAFE, "comes again sooner"),
    ("retryPolicy.minimumBackoff", "20s", None, LESS_SAFE, "comes again sooner"),
    ("bigqueryConfig.dropUnknownFields", False, True, LOSES, "that the table does not have"),
    ("bigqueryConfig.writeMetadata", True, False, LOSES, "the attributes, the ordering key"),
    ("cloudStorageConfig.avroConfig.writeMetadata", True, False, LOSES, "the attributes, the ordering key"),
    ("pushConfig", {**PUSH, "oidcToken": TOKEN}, PUSH, STOPS, "without a token"),
    ("pushConfig", {**PUSH, "attributes": {"x-goog-version": "v1"}}, PUSH, STOPS, "of another version"),
]
SUBSCRIPTION_WAYS: list[Case] = [
    ("deadLetterPolicy", DEAD, {**DEAD, "deadLetterTopic": "other"}, STOPS, "dead letters of `dead`"),
    ("deadLetterPolicy", DEAD, LATER, STOPS, "every ordering key behind a message"),
    ("messageTransforms", None, UDF, LOSES, "drops or changes of each message"),
    ("messageTransforms", UDF, None, LESS_SAFE, "dropped or changed before"),
    ("bigqueryConfig", ROWS, None, STOPS, f"the rows of the table `{TABLE}`"),
    ("bigqueryConfig", None, ROWS, STOPS, "whoever pulls from the subscription"),
    ("bigqueryConfig.table", TABLE, "p.d.others", STOPS, f"the rows of the table `{TABLE}`"),
    ("bigqueryConfig", {**ROWS, "writeMetadata": True}, None, STOPS, f"`{TABLE}`"),
    ("bigqueryConfig", {**ROWS, "useTopicSchema": True}, ROWS, STOPS, "in other columns"),
    ("bigqueryConfig", ROWS, {**ROWS, "useTableSchema": True}, STOPS, "in other columns"),
    ("bigqueryConfig", ROWS, {**ROWS, "serviceAccountEmail": "a@b"}, LESS_SAFE, "another account writes"),
    ("bigqueryConfig", ROWS, LATER, STOPS, f"`{TABLE}`"),
    ("bigqueryConfig", None, LATER, STOPS, "whoever pulls from the subscription"),
    ("bigqueryConfig", ROWS, {"table": LATER}, STOPS, f"`{TABLE}`"),
    ("cloudStorageConfig", OBJECTS, None, STOPS, f"the objects of the bucket `{BUCKET}`"),
    ("cloudStorageConfig", None, OBJECTS, STOPS, "whoever pulls from the subscription"),
    ("cloudStorageConfig.bucket", BUCKET, "another", STOPS, f"the objects of the bucket `{BUCKET}`"),
    ("cloudStorageConfig", OBJECTS, {**OBJECTS, "avroConfig": {}}, STOPS, "in another form"),
    ("cloudStorageConfig", {**OBJECTS, "avroConfig": {}}, OBJECTS, STOPS, "in another form"),
    ("cloudStorageConfig", AVRO, OBJECTS, LOSES, "the attributes, the ordering key"),
    ("cloudStorageConfig.avroConfig.useTopicSchema", True, False, STOPS, "in another form"),
    ("cloudStorageConfig", OBJECTS, {**OBJECTS, "filenamePrefix": "a"}, STOPS, "by their names"),
    ("cloudStorageConfig", OBJECTS, {**OBJECTS, "filenameSuffix": "a"}, STOPS, "by their names"),
    ("cloudStorageConfig", OBJECTS, {**OBJECTS, "filenameDatetimeFormat": "YYYY"}, STOPS, "by their names"),
    ("cloudStorageConfig", OBJECTS, {**OBJECTS, "serviceAccountEmail": "a@b"}, LESS_SAFE, "another account"),
    ("pushConfig", PUSH, None, STOPS, f"the endpoint of the requests `{ENDPOINT}`"),
    ("pushConfig", None, PUSH, STOPS, "whoever pulls from the subscription"),
    ("pushConfig.pushEndpoint", ENDPOINT, "https://b.example", STOPS, f"`{ENDPOINT}`"),
    ("pushConfig.oidcToken", TOKEN, {**TOKEN, "audience": "b"}, STOPS, "accepts tokens of another identity"),
    ("pushConfig.oidcToken.serviceAccountEmail", "a@p", "b@p", STOPS, "accepts tokens of another identity"),
    ("pushConfig", PUSH, {**PUSH, "noWrapper": {"writeMetadata": True}}, STOPS, "requests of another form"),
]
HARMLESS_CHANGES: list[tuple[str, str, object, object]] = [
    (TOPIC, "kmsKeyName", None, KEY),
    (TOPIC, "labels", {"a": "b"}, None),
    (TOPIC, "messageStoragePolicy", {REGIONS: ["a", "b"]}, {REGIONS: ["a"]}),
    (TOPIC, "messageTransforms", None, OFF),
    (TOPIC, "messageTransforms", OFF, [{**OTHER_UDF[0], "disabled": True}]),
    (TOPIC, "messageTransforms", UDF, [{**UDF[0], "disabled": False}]),
    (TOPIC, "messageTransforms", UDF, [{**UDF[0], "__defaults": ["disabled"]}]),
    (TOPIC, "schemaSettings", {**SHAPE, "firstRevisionId": "a", "lastRevisionId": "b"}, SHAPE),
    (TOPIC, "deletionPolicy", None, "DELETE"),
    (SUBSCRIPTION, "expirationPolicy", None, {"ttl": "2678400s"}),
    (SUBSCRIPTION, "messageRetentionDuration", None, "604800s"),
    (SUBSCRIPTION, "ackDeadlineSeconds", None, 10),
    (SUBSCRIPTION, "labels.team", "a", "b"),
    (SUBSCRIPTION, "deadLetterPolicy", DEAD, {**DEAD, "__defaults": []}),
    (SUBSCRIPTION, "pushConfig", None, {"__defaults": []}),
    (SUBSCRIPTION, "cloudStorageConfig", OBJECTS, {**OBJECTS, "maxMessages": 1000, "maxBytes": 10_000}),
    (SUBSCRIPTION, "cloudStorageConfig.maxDuration", "300s", "60s"),
    (SCHEMA, "definition", "a", "b"),
    (SCHEMA, "deletionPolicy", "DELETE", "PREVENT"),
]


@pytest.mark.parametrize("case", TOPIC_CASES, ids=lambda case: case[0])
def test_a_change_of_a_topic_and_back(case: Case) -> None:
    """It says what the change does, and nothing of the way back."""
    must_say(TOPIC, case)
    must_say_nothing(TOPIC, case[0], case[2], case[1])


@pytest.mark.parametrize("case", TOPIC_WAYS, ids=lambda case: case[0])
def test_a_change_of_a_topic(case: Case) -> None:
    """It says what the change does."""
    must_say(TOPIC, case)


@pytest.mark.parametrize("case", SUBSCRIPTION_CASES, ids=lambda case: case[0])
def test_a_change_of_a_subscription_and_back(case: Case) -> None:
    """It says what the change does, and nothing of the way back."""
    must_say(SUBSCRIPTION, case)
    must_say_nothing(SUBSCRIPTION, case[0], case[2], case[1])


@pytest.mark.parametrize("case", SUBSCRIPTION_WAYS, ids=lambda case: case[0])
def test_a_change_of_a_subscription(case: Case) -> None:
    """It says what the change does."""
    must_say(SUBSCRIPTION, case)


@pytest.mark.parametrize(("kind", "path", "old", "new"), HARMLESS_CHANGES)
def test_a_harmless_change(kind: str, path: str, old: object, new: object) -> None:
    """Nothing is said of it."""
    must_say_nothing(kind, path, old, new)


@pytest.mark.parametrize(
    ("path", "old", "severity"),
    [
        ("messageRetentionDuration", "600s", LOSES),
        ("retainAckedMessages", True, LOSES),
        ("expirationPolicy.ttl", "86400s", LOSES),
        ("deadLetterPolicy", DEAD, STOPS),
        ("retryPolicy", {"minimumBackoff": "10s"}, LESS_SAFE),
        ("pushConfig", PUSH, STOPS),
    ],
)
def test_what_only_the_update_can_tell_counts_as_the_worst(
    path: str, old: object, severity: Severity
) -> None:
    """An unknown value has the effect, whichever direction is meant."""
    must_say(SUBSCRIPTION, (path, old, LATER, severity, ""))


def test_a_property_that_a_block_lacks_is_named() -> None:
    """What a new provider brings in a block that is judged as a whole is said to be unknown."""
    (told,) = effects_of(changed(SUBSCRIPTION, "bigqueryConfig.brandNew", True, False))

    assert "nobody has said" in told.what


@pytest.mark.parametrize("path", sorted(each for each in properties_of(TOPIC) if each.startswith(SOURCES)))
def test_each_property_of_a_source_is_one_to_publish_by(path: str) -> None:
    """Where messages come in by another one or none, whoever publishes by the former one is stopped."""
    must_say(TOPIC, (path, "a", "b", STOPS, "by the former source"))
    must_say_nothing(TOPIC, path, None, "a")


def test_a_schema_s_deletion_policy_keeps_it() -> None:
    """As that of any other type."""
    must_say(SCHEMA, ("deletionPolicy", "PREVENT", None, LESS_SAFE, "deletes it in Google Cloud, too"))
    must_say_nothing(SCHEMA, "deletionPolicy", None, "PREVENT")
