"""Plans that are asked for otherwise: by flags of the engine, after a refresh, or of the stack's end."""

from typing import Final

from tests.event_store_infra.preview.edits.bases import DEAD_LETTERS, SUBSCRIPTIONS, TOPICS
from tests.event_store_infra.preview.edits.edit import Edit, Outside

_WITHOUT_READER: Final = {"subscriptions.progress-reader": None}
_FILTERED: Final = {"subscriptions.progress-reader.filter": 'attributes.event_type = "Done"'}
_READER: Final = "urn:bus-progress-reader-subscription"
_TOPIC_ANEW: Final = {
    ("replace", "bus-vocabulary-events"),
    *(
        ("replace", f"bus-{each}-subscription")
        for each in ("vocabulary-projection", "second", "second-g2", "mailer")
    ),
}
_LOST_OUTSIDE: Final = (
    Outside("gcp:sql/databaseInstance:DatabaseInstance", "event-store-1"),
    Outside("gcp:pubsub/subscription:Subscription", "/progress-reader"),
)

EDITS: Final = (
    Edit(
        # The engine does not say what it leaves out: `check` makes no such plan, `judge` says that it may be.
        name="target-another-resource",
        base="prod-unprotected",
        topology=_WITHOUT_READER,
        flags=("--target", "urn:bus-vocabulary-events"),
        headline="no change",
    ),
    Edit(
        name="target-what-goes",
        base="prod-unprotected",
        topology=_WITHOUT_READER,
        flags=("--target", _READER),
        headline="refused, 1 change would lose data",
        refused={("delete", "bus-progress-reader-subscription")},
        says=("may not be all",),
    ),
    Edit(
        name="exclude-what-goes",
        base="prod-unprotected",
        topology=_WITHOUT_READER,
        flags=("--exclude", _READER),
        headline="refused, 1 change would lose data",
        refused={("delete", "bus-progress-reader-dead-letter-subscription")},
    ),
    Edit(
        name="show-replacement-steps",
        base="prod-unprotected",
        topology=_FILTERED,
        flags=("--show-replacement-steps",),
        headline="refused, 1 change would lose data",
        refused={("replace", "bus-progress-reader-subscription")},
    ),
    Edit(
        name="replace-by-a-flag",
        base="prod-unprotected",
        flags=("--replace", "urn:bus-vocabulary-events"),
        headline="refused, ",
        refused=_TOPIC_ANEW,
        omits=("unset → unset",),
    ),
    Edit(
        name="target-and-replace-by-a-flag",
        base="prod-unprotected",
        flags=("--target-replace", "urn:bus-vocabulary-events", "--target-dependents"),
        headline="refused, ",
        refused=_TOPIC_ANEW,
    ),
    Edit(
        name="show-what-does-not-change",
        base="prod-unprotected",
        flags=("--show-sames",),
        headline="no change",
    ),
    Edit(
        name="destroy-the-stack",
        base="prod-unprotected",
        command=("destroy", "--preview-only"),
        headline="refused, ",
        refused={
            *(("delete", f"bus-{each}") for each in (*TOPICS, *DEAD_LETTERS)),
            *(("delete", f"bus-{each}-subscription") for each in SUBSCRIPTIONS),
            *(("delete", f"database-{each}") for each in ("instance", "replica", "database")),
            *(("delete", f"network-{each}") for each in ("vpc", "subnetwork", "services", "peering")),
            *(("delete", each) for each in ("bus-push", "event-store-account", "migrations-account")),
            ("delete", "bus-key-security.europe-west1.events.topics"),
            ("delete", "registry-repository"),
        },
    ),
    Edit(
        name="lose-an-instance-outside-unseen",
        base="prod-unprotected",
        outside=_LOST_OUTSIDE,
        headline="no change",
    ),
    Edit(
        name="lose-an-instance-outside",
        base="prod-unprotected",
        outside=_LOST_OUTSIDE,
        flags=("--refresh",),
        headline="refused, 2 changes would lose data",
        refused={("create", "database-instance"), ("create", "bus-progress-reader-subscription")},
        says=("empty",),
    ),
    Edit(
        name="shorten-a-retention-outside",
        base="prod-unprotected",
        outside=(
            Outside(
                "gcp:pubsub/subscription:Subscription",
                "/progress-reader",
                {"messageRetentionDuration": "2678400s"},
            ),
        ),
        flags=("--refresh",),
        headline="refused, 1 change would lose data",
        refused={("update messageRetentionDuration", "bus-progress-reader-subscription")},
    ),
)
