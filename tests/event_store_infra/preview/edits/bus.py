"""Edits of the topology, of a stack that nothing protects."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.bases import KEYS, MEASURED
from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit

_READER: Final = "subscriptions.progress-reader"
_PROJECTION: Final = "subscriptions.vocabulary-projection"
_KEY_S_GRANT: Final = "bus-key-security.europe-west1.events.topics"
_ALL_OF_READER: Final = {
    ("delete", "bus-progress-reader-subscription"),
    ("delete", "bus-progress-reader-dead-letter-subscription"),
    ("delete", "bus-progress-reader-dead-letter"),
}


def _edit(name: str, topology: dict[str, Any], **expected: Any) -> Edit:
    return Edit(name=name, base="prod-unprotected", topology=topology, **expected)


EDITS: Final = (
    _edit(
        "remove-a-topic-with-its-consumer",
        {"topics.progress-events": None, _READER: None, "routes.1": None},
        headline="refused, 4 changes would lose data",
        refused={("delete", "bus-progress-events"), *_ALL_OF_READER},
    ),
    _edit(
        "rename-a-topic",
        {
            "topics.progress-events.name": "progress-log",
            f"{_READER}.topic": "progress-log",
            "routes.1.topics": ["progress-log"],
        },
        headline="refused, 2 changes would lose data",
        refused={("delete", "bus-progress-events"), ("replace", "bus-progress-reader-subscription")},
    ),
    _edit(
        "remove-a-subscription",
        {_READER: None},
        headline="refused, 3 changes would lose data",
        refused=_ALL_OF_READER,
        says=("its backlog: every unacknowledged message, and every later one",),
    ),
    _edit(
        "rename-a-subscription",
        {f"{_READER}.name": "progress-log"},
        headline="refused, 3 changes would lose data",
        refused=_ALL_OF_READER,
    ),
    _edit(
        "subscribe-to-another-topic",
        {f"{_READER}.topic": "vocabulary-events"},
        headline="refused, 1 change would lose data",
        refused={("replace", "bus-progress-reader-subscription")},
        says=("another `generation`",),
    ),
    _edit(
        "filter-a-subscription",
        {f"{_READER}.filter": 'attributes.event_type = "Done"'},
        headline="refused, 1 change would lose data",
        refused={("replace", "bus-progress-reader-subscription")},
        says=("another `generation`", "filter", "and those published before the new one exists"),
    ),
    _edit(
        "give-up-a-topic-s-order",
        {"topics.vocabulary-events.ordering": "none"},
        headline="refused, 3 changes would lose data",
        refused={
            ("replace", "bus-vocabulary-projection-subscription"),
            ("replace", "bus-second-g2-subscription"),
            ("replace", "bus-mailer-subscription"),
        },
    ),
    _edit("deliver-exactly-once", {f"{_READER}.enableExactlyOnceDelivery": True}, **HARMLESS),
    _edit(
        "deliver-at-least-once", {f"{_PROJECTION}.enableExactlyOnceDelivery": False}, headline="loses no data"
    ),
    _edit(
        "push-what-was-pulled",
        {f"{_READER}.pushConfig": {"pushEndpoint": "https://reader-abc.a.run.app/events"}},
        headline="loses no data, but stops ",
        says=("bus-progress-reader-subscription",),
    ),
    _edit(
        "pull-what-was-pushed",
        {"subscriptions.mailer.pushConfig": None},
        headline="loses no data, but stops ",
    ),
    _edit(
        "export-what-was-pulled",
        {f"{_READER}.cloudStorageConfig": {"bucket": "words-archive"}},
        headline="loses no data, but stops ",
        says=("bus-progress-reader-subscription",),
    ),
    _edit(
        "shorten-a-subscription-s-retention",
        {f"{_READER}.messageRetentionDuration": "1d"},
        headline="refused, 1 change would lose data",
        refused={("update messageRetentionDuration", "bus-progress-reader-subscription")},
    ),
    _edit(
        "leave-a-subscription-s-retention-to-the-default",
        {f"{_READER}.messageRetentionDuration": None},
        headline="refused, 1 change would lose data",
        refused={("update messageRetentionDuration", "bus-progress-reader-subscription")},
    ),
    _edit("lengthen-an-ack-deadline", {f"{_PROJECTION}.ackDeadlineSeconds": 120}, **HARMLESS),
    _edit(
        "give-messages-up-after-fewer-attempts",
        {f"{_PROJECTION}.deadLetterPolicy.maxDeliveryAttempts": 5},
        headline="loses no data",
    ),
    _edit(
        "stop-retaining-acknowledged-messages",
        {f"{_PROJECTION}.retainAckedMessages": False},
        headline="refused, 1 change would lose data",
        refused={("update retainAckedMessages", "bus-vocabulary-projection-subscription")},
    ),
    _edit(
        "shorten-a-topic-s-retention",
        {"topics.vocabulary-events.messageRetentionDuration": "10m"},
        headline="refused, 1 change would lose data",
        refused={("update messageRetentionDuration", "bus-vocabulary-events")},
    ),
    _edit(
        "take-a-topic-s-key-away",
        {"topics.keyed-events.kmsKeyName": None},
        headline="refused, 1 change would lose data",
        refused={("delete", _KEY_S_GRANT)},
    ),
    _edit(
        "give-a-topic-another-key",
        {"topics.keyed-events.kmsKeyName": f"{KEYS}/other"},
        headline="refused, 1 change would lose data",
        refused={("delete", _KEY_S_GRANT)},
    ),
    _edit(
        "give-a-topic-another-key-beside-the-earlier-one",
        {
            "topics.keyed-events.kmsKeyName": f"{KEYS}/other",
            "topics.keyed-events.earlierKmsKeyNames": [f"{KEYS}/topics"],
        },
        headline="loses no data, but 2 changes are less safe",
        says=("earlierKmsKeyNames",),
    ),
    _edit("give-a-topic-a-key", {"topics.progress-events.kmsKeyName": f"{KEYS}/topics"}, **HARMLESS),
    _edit(
        "keep-a-topic-in-fewer-regions",
        {"topics.progress-events.messageStoragePolicy.allowedPersistenceRegions": ["europe-west1"]},
        headline="loses no data",
    ),
    _edit(
        "keep-a-topic-in-any-region",
        {"topics.progress-events.messageStoragePolicy": None},
        headline="loses no data",
    ),
    _edit(
        "change-a-schema-s-definition",
        {
            "schemas.measured.definition": MEASURED.replace(
                '"name": "Measured"', '"name": "Measured", "doc": "M"'
            )
        },
        headline="loses no data",
    ),
    _edit(
        "take-a-schema-off-its-topic",
        {"schemas.measured": None, "topics.metrics-events.schemaSettings": None},
        headline="loses no data",
        says=("takes it off its topic",),
    ),
    _edit(
        "take-a-consumer-s-right",
        {f"{_PROJECTION}.consumers": []},
        headline="loses no data, but stops ",
        says=("projection@words",),
    ),
    _edit(
        "remove-a-kept-generation",
        {"subscriptions.second.keptGenerations": None},
        headline="refused, 1 change would lose data",
        refused={("delete", "bus-second-subscription")},
    ),
    _edit(
        "raise-a-generation-without-keeping-the-one-before",
        {f"{_READER}.generation": 2},
        headline="refused, 1 change would lose data",
        refused={("delete", "bus-progress-reader-subscription")},
        says=("instead: keep it beside the next generation: add 1 to its `keptGenerations`",),
        omits=("first:",),
    ),
    _edit(
        "raise-a-generation",
        {f"{_READER}.generation": 2, f"{_READER}.keptGenerations": [1]},
        **HARMLESS,
    ),
    _edit(
        "lower-a-generation",
        {"subscriptions.second.generation": None, "subscriptions.second.keptGenerations": None},
        headline="refused, ",
        refused={("delete", "bus-second-g2-subscription")},
    ),
    _edit(
        "remove-a-route",
        {"routes.1": None},
        headline="loses no data, but stops ",
        says=("Progress",),
    ),
    _edit(
        "block-a-topic-behind-what-cannot-be-published",
        {"topics.progress-events.unpublishable": "block"},
        headline="loses no data",
    ),
    _edit(
        "remove-the-only-push-subscription",
        {"subscriptions.mailer": None},
        headline="refused, 3 changes would lose data",
        refused={
            ("delete", "bus-mailer-subscription"),
            ("delete", "bus-mailer-dead-letter-subscription"),
            ("delete", "bus-mailer-dead-letter"),
        },
    ),
    _edit(
        "label-a-topic-and-a-subscription",
        {"topics.progress-events.labels": {"team": "words"}, f"{_READER}.labels": {"team": "words"}},
        **HARMLESS,
    ),
    _edit(
        "rename-a-schema",
        {"schemas.measured.name": "metric", "topics.metrics-events.schemaSettings.schema": "metric"},
        headline="loses no data",
        says=("takes it off its topic",),
    ),
    _edit("retry-later", {f"{_PROJECTION}.retryPolicy.minimumBackoff": "20s"}, **HARMLESS),
    _edit(
        "order-a-topic-by-partitions",
        {"topics.progress-events.ordering": {"partitions": 64}},
        headline="loses no data",
    ),
)
