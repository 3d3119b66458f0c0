"""Edits that somebody made outside of Pulumi, as the plan's own refresh finds them."""

from collections.abc import Mapping
from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Outside

_PROMOTED: Final = {"instanceType": "CLOUD_SQL_INSTANCE", "masterInstanceName": None}


def _edit(name: str, kind: str, ends: str, changed: Mapping[str, Any] | None = None, **what: Any) -> Edit:
    return Edit(
        name=name,
        outside=(Outside(kind, ends, changed),),
        flags=("--refresh",),
        **{"base": "prod-unprotected", **what},
    )


EDITS: Final = (
    _edit(
        "promote-the-replica-outside",
        *("gcp:sql/databaseInstance:DatabaseInstance", "event-store-1-replica", _PROMOTED),
        headline="refused, ",
        refused={("replace", "database-replica")},
    ),
    _edit(
        "lose-a-topic-outside",
        *("gcp:pubsub/topic:Topic", "/progress-events"),
        headline="refused, ",
        refused={("create", "bus-progress-events"), ("replace", "bus-progress-reader-subscription")},
        says=("It was deleted outside of Pulumi",),
    ),
    _edit(
        "lose-the-database-outside",
        *("gcp:sql/database:Database", "/event_store"),
        headline="refused, 1 change would lose data",
        refused={("create", "database-database")},
        says=("It was deleted outside of Pulumi",),
    ),
    _edit(
        "lose-an-account-outside",
        *("gcp:serviceaccount/account:Account", "event-store-push@event-store-prod.iam.gserviceaccount.com"),
        headline="refused, 1 change could not be taken back",
        refused={("create", "bus-push")},
        says=("undelete",),
    ),
    _edit(
        "lose-the-repository-outside",
        *("gcp:artifactregistry/repository:Repository", "/event-store"),
        headline="refused, 1 change would lose data",
        refused={("create", "registry-repository")},
    ),
    _edit(
        "lose-a-dead-letter-subscription-outside",
        *("gcp:pubsub/subscription:Subscription", "/progress-reader-dead-letter"),
        headline="refused, 1 change would lose data",
        refused={("create", "bus-progress-reader-dead-letter-subscription")},
    ),
    _edit(
        "stop-the-instance-outside",
        *(
            "gcp:sql/databaseInstance:DatabaseInstance",
            "event-store-1",
            {"settings.activationPolicy": "NEVER"},
        ),
        **HARMLESS,
    ),
    _edit(
        "let-the-disk-grow-outside",
        *("gcp:sql/databaseInstance:DatabaseInstance", "event-store-1", {"settings.diskSize": 500}),
        headline="no change",
    ),
    _edit(
        "keep-more-backups-outside",
        *(
            "gcp:sql/databaseInstance:DatabaseInstance",
            "event-store-1",
            {"settings.backupConfiguration.backupRetentionSettings.retainedBackups": 365},
        ),
        headline="refused, 1 change would lose data",
        refused={
            (
                "update settings.backupConfiguration.backupRetentionSettings.retainedBackups",
                "database-instance",
            )
        },
    ),
    _edit(
        "let-somebody-else-connect-outside",
        *(
            "gcp:sql/databaseInstance:DatabaseInstance",
            "event-store-1",
            {"settings.ipConfiguration.ipv4Enabled": True},
        ),
        headline="loses no data, but stops whoever reaches it by its public address",
    ),
    _edit(
        "encrypt-a-topic-outside",
        *(
            "gcp:pubsub/topic:Topic",
            "/progress-events",
            {"kmsKeyName": "projects/others/locations/europe-west1/keyRings/r/cryptoKeys/k"},
        ),
        headline="loses no data, but 1 change is less safe",
        says=("stays encrypted with the former key",),
    ),
    _edit(
        "send-a-topic-s-messages-elsewhere-outside",
        *(
            "gcp:pubsub/subscription:Subscription",
            "/mailer",
            {"pushConfig.pushEndpoint": "https://x.example/e"},
        ),
        headline="loses no data, but stops the endpoint of the requests",
    ),
    _edit(
        "lose-an-alert-outside",
        *("gcp:monitoring/dashboard:Dashboard", ""),
        **HARMLESS,
    ),
    _edit(
        "lose-a-consumer-s-grant-outside",
        *(
            "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember",
            "projection@words.iam.gserviceaccount.com",
        ),
        **HARMLESS,
    ),
    _edit(
        "lose-the-subnetwork-outside",
        *("gcp:compute/subnetwork:Subnetwork", "/event-store"),
        headline="loses no data",
    ),
)
