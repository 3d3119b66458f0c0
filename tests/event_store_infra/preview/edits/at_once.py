"""Edits that do several things at once, of which one hides another."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.bases import KEYS
from tests.event_store_infra.preview.edits.edit import Edit, Patch

_READER: Final = "subscriptions.progress-reader"
_LETTERS: Final = (
    ("delete", "bus-progress-reader-dead-letter-subscription"),
    ("delete", "bus-progress-reader-dead-letter"),
)


def _edit(name: str, **what: Any) -> Edit:
    return Edit(name=name, **{"base": "prod-unprotected", **what})


EDITS: Final = (
    _edit(
        "unprotect-and-shorten-a-retention",
        base="prod",
        config={"protected": False},
        topology={f"{_READER}.messageRetentionDuration": "1d"},
        headline="refused, 1 change would lose data",
        refused={("update messageRetentionDuration", "bus-progress-reader-subscription")},
        says=("Pulumi no longer refuses to delete it",),
        omits=("*protected*",),  # the engine changes it in place
    ),
    _edit(
        "remove-a-subscription-among-many-labels",
        config={"labels.team": "words"},
        topology={_READER: None},
        headline="refused, 3 changes would lose data",
        refused={("delete", "bus-progress-reader-subscription"), *_LETTERS},
    ),
    _edit(
        "restore-and-remove-a-subscription",
        config={
            "database.generation": 2,
            "database.kept_generations": [1],
            "database.restore_from": {"instance": "event-store-1", "time": "2026-01-31T08:00:00Z"},
        },
        topology={_READER: None},
        headline="refused, 3 changes would lose data",
        refused={("delete", "bus-progress-reader-subscription"), *_LETTERS},
        says=("it stays in its instance",),
    ),
    _edit(
        "restore-from-another-instance-than-is-kept",
        config={
            "database.generation": 2,
            "database.kept_generations": [1],
            "database.restore_from": {"instance": "others", "time": "2026-01-31T08:00:00Z"},
        },
        headline="refused, 1 change would lose data",
        refused={("create", "database-2-instance")},
        says=("begins as a copy of `others`", "it stays in its instance"),
    ),
    _edit(
        "raise-a-generation-and-shorten-the-kept-one-s-retention",
        topology={
            f"{_READER}.generation": 2,
            f"{_READER}.keptGenerations": [1],
            f"{_READER}.messageRetentionDuration": "1d",
        },
        headline="refused, 1 change would lose data",
        refused={("update messageRetentionDuration", "bus-progress-reader-subscription")},
    ),
    _edit(
        "raise-a-generation-of-another-topic",
        topology={
            f"{_READER}.generation": 2,
            f"{_READER}.keptGenerations": [1],
            f"{_READER}.topic": "vocabulary-events",
        },
        headline="loses no data",
    ),
    _edit(
        "rotate-a-key-and-forget-the-one-before-the-last",
        topology={
            "topics.keyed-events.kmsKeyName": f"{KEYS}/third",
            "topics.keyed-events.earlierKmsKeyNames": [f"{KEYS}/second"],
        },
        headline="refused, 1 change would lose data",
        refused={("delete", "bus-key-security.europe-west1.events.topics")},
        says=(f"instead: add `{KEYS}/topics` to `earlierKmsKeyNames` of the topic, which keeps the grant",),
        omits=("first:",),
    ),
    _edit(
        "move-the-relay-and-leave-it-without-an-instance",
        config={"service.relay": "worker-pool"},
        program=(
            Patch(
                "components/workload/relay.py",
                "manual_instance_count=args.settings.relay_instances",
                "manual_instance_count=0",
            ),
        ),
        headline="loses no data, but stops every consumer",
    ),
    _edit(
        "acknowledge-the-subscription-and-shorten-another",
        topology={_READER: None, "subscriptions.vocabulary-projection.messageRetentionDuration": "1d"},
        acknowledged={
            "pubsub.Subscription bus-progress-reader-subscription": "delete",
            "pubsub.Subscription bus-progress-reader-dead-letter-subscription": "delete",
            "pubsub.Topic bus-progress-reader-dead-letter": "delete",
        },
        headline="refused, 1 change would lose data",
        refused={("update messageRetentionDuration", "bus-vocabulary-projection-subscription")},
    ),
    _edit(
        "acknowledge-one-property-and-change-two",
        topology={
            "subscriptions.vocabulary-projection.messageRetentionDuration": "1d",
            "subscriptions.vocabulary-projection.retainAckedMessages": False,
        },
        acknowledged={
            "pubsub.Subscription bus-vocabulary-projection-subscription": "update messageRetentionDuration"
        },
        headline="refused, 1 change would lose data",
        refused={
            (
                "update messageRetentionDuration, retainAckedMessages",
                "bus-vocabulary-projection-subscription",
            )
        },
    ),
)
