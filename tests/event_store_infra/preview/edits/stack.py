"""Edits of the stack's file: prod on Cloud SQL with a read replica, which nothing protects."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.bases import (
    DEAD_LETTERS,
    IMAGE,
    KEYS,
    SERVER_CA,
    SUBSCRIPTIONS,
    TOPICS,
)
from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit

_KEY_S_GRANT: Final = "bus-key-security.europe-west1.events.topics"
_INSTANCE_GOES: Final = {
    ("delete", "database-instance"),
    ("delete", "database-database"),
    ("delete", "database-replica"),
}
_INSTANCE_ANEW: Final = {
    ("replace", "database-instance"),
    ("replace", "database-database"),
    ("replace", "database-replica"),
}
_NETWORK_ANEW: Final = {
    ("replace", f"network-{each}") for each in ("vpc", "subnetwork", "services", "peering")
}
_ACCOUNTS_ANEW: Final = {
    ("replace", each) for each in ("bus-push", "event-store-account", "migrations-account")
}


def _edit(name: str, config: dict[str, Any], **expected: Any) -> Edit:
    return Edit(name=name, base="prod-unprotected", config=config, **expected)


EDITS: Final = (
    _edit(
        "change-the-prefix",
        {"prefix": "words"},
        headline="refused, ",
        refused={*_INSTANCE_ANEW, *_NETWORK_ANEW, *_ACCOUNTS_ANEW, ("replace", "registry-repository")},
        says=("instead: set `event-store:prefix` back to `event-store`.",),
        omits=("instead: make", "only ever grows", "stays in Google Cloud"),
    ),
    _edit(
        "change-the-region",
        {"gcp:region": "europe-west4"},
        headline="refused, ",
        refused={*_INSTANCE_ANEW, ("replace", "network-subnetwork"), ("replace", "registry-repository")},
        says=("instead: set `gcp:region` back to `europe-west1`.",),
        omits=("instead: make", "only ever grows"),
    ),
    _edit(
        "change-the-project",
        {"gcp:project": "event-store-other"},
        headline="refused, ",
        refused={
            *_INSTANCE_ANEW,
            *_NETWORK_ANEW,
            *_ACCOUNTS_ANEW,
            ("replace", "registry-repository"),
            ("replace", "bus-measured-schema"),
            ("replace", _KEY_S_GRANT),
            *(("replace", f"bus-{each}") for each in (*TOPICS, *DEAD_LETTERS)),
            *(("replace", f"bus-{each}-subscription") for each in SUBSCRIPTIONS),
        },
        says=("instead: set `gcp:project` back to `event-store-prod`.",),
        omits=("instead: make", "instead: give it", "instead: add"),
    ),
    _edit(
        "go-back-to-an-earlier-version",
        {"database.version": "POSTGRES_17"},
        headline="refused, Google would not make",
        says=("never goes back",),
    ),
    _edit(
        "move-to-alloydb",
        {
            "database.engine": "alloydb",
            "database.read_replica": None,
            "alloydb": {"server_ca": SERVER_CA},
        },
        headline="refused, ",
        refused={*_INSTANCE_GOES, ("create", "database-cluster")},
        says=(
            "instead: make a second stack with the engine `alloydb` and import the log into it",
            "The old log is deleted",
            "loses the last copy of the log, since its primary goes, too",
        ),
        omits=("former cluster", "stays where it is", "stays in Google Cloud"),
    ),
    _edit(
        "begin-a-generation-without-keeping-the-one-before",
        {"database.generation": 2},
        headline="refused, ",
        refused={*_INSTANCE_GOES, ("create", "database-2-instance")},
        says=(
            "instead: keep the earlier instance by `kept_generations: [1]` under `event-store:database`",
            "its own deletion would keep it (deletionPolicy ABANDON), but `database-instance` takes it along",
            "instead: keep its primary, `database-instance`.",
        ),
        omits=("stays where it is", "stays in Google Cloud"),
    ),
    _edit(
        "begin-a-generation-that-is-empty",
        {"database.generation": 2, "database.kept_generations": [1]},
        headline="refused, 1 change would lose data",
        refused={("create", "database-2-instance")},
        says=("empty", "The old log stays where it is, unused"),
    ),
    _edit(
        "restore-the-database",
        {
            "database.generation": 2,
            "database.kept_generations": [1],
            "database.restore_from": {"instance": "event-store-1", "time": "2026-01-31T08:00:00Z"},
        },
        headline="loses no data",
        says=("it stays in its instance", "a read replica holds nothing of its own"),
        omits=("loses the log",),
    ),
    _edit("join-an-instance-with-a-replica", {"database.instance": "theirs"}, headline="the preview failed"),
    _edit("take-a-smaller-machine", {"database.tier": "db-custom-2-7680"}, headline="loses no data"),
    _edit(
        "take-another-edition",
        {"database.edition": "ENTERPRISE_PLUS", "database.tier": "db-perf-optimized-N-4"},
        headline="refused, Google would not make",
        says=("read_replica",),
    ),
    _edit(
        "let-the-disk-grow-less",
        {"database.disk_limit_gb": 200},
        headline="loses no data, but 2 changes are less safe",
    ),
    _edit("begin-with-a-larger-disk", {"database.disk_size_gb": 200}, headline="no change"),
    _edit(
        "give-up-the-standby",
        {"database.availability": "ZONAL"},
        headline="loses no data, but 1 change is less safe",
    ),
    _edit("make-no-backups", {"database.backups": False}, headline="the preview failed"),
    _edit(
        "give-up-point-in-time-recovery",
        {"database.point_in_time_recovery": False},
        headline="the preview failed",
    ),
    _edit(
        "keep-fewer-backups",
        {"database.retained_backups": 7},
        headline="refused, 1 change would lose data",
        refused={
            (
                "update settings.backupConfiguration.backupRetentionSettings.retainedBackups",
                "database-instance",
            )
        },
    ),
    _edit(
        "keep-fewer-days-of-log",
        {"database.log_retention_days": 1},
        headline="refused, 1 change would lose data",
        refused={("update settings.backupConfiguration.transactionLogRetentionDays", "database-instance")},
    ),
    _edit(
        "deny-maintenance-for-a-month",
        {"database.deny_maintenance_start": "2026-12-05", "database.deny_maintenance_end": "2027-01-05"},
        **HARMLESS,
    ),
    _edit("set-a-flag-of-the-database", {"database.flags": {"work_mem": "8192"}}, headline="loses no data"),
    _edit(
        "switch-the-login-by-iam-off",
        {"database.flags": {"cloudsql.iam_authentication": "off"}},
        headline="the preview failed",
    ),
    _edit(
        "encrypt-the-database",
        {"database.kms_key": f"{KEYS}/log"},
        headline="refused, 3 changes would lose data",
        refused=_INSTANCE_ANEW,
    ),
    _edit(
        "reach-the-database-by-an-endpoint",
        {"database.private_service_connect": True},
        headline="refused, ",
        refused={*_INSTANCE_ANEW, ("delete", "network-peering"), ("delete", "network-services")},
    ),
    _edit(
        "remove-the-replica",
        {"database.read_replica": False},
        headline="loses no data",
        says=("a read replica holds nothing of its own",),
    ),
    _edit(
        "join-a-network",
        {
            "network": {
                "vpc": "projects/host-project/global/networks/shared",
                "subnetwork": "projects/host-project/regions/europe-west1/subnetworks/run",
            }
        },
        headline="refused, ",
        refused={
            ("delete", "network-peering"),
            ("delete", "network-services"),
            ("delete", "network-vpc"),
            ("delete", "network-subnetwork"),
        },
    ),
    _edit("grow-the-subnetwork", {"network": {"cidr": "10.8.0.0/23"}}, headline="loses no data"),
    _edit(
        "reserve-more-addresses-for-services",
        {"network": {"services_prefix_length": 18}},
        headline="refused, ",
        refused={("replace", "network-services")},
    ),
    _edit("relay-in-a-worker-pool", {"service.relay": "worker-pool"}, headline="loses no data"),
    _edit("allow-no-instances", {"service.max_instances": 0}, headline="the preview failed"),
    _edit(
        "invite-nobody",
        {"service.invokers": []},
        headline="loses no data, but stops ",
        says=("words@event-store-prod",),
    ),
    _edit(
        "run-another-environment-s-image",
        {"image": IMAGE},
        headline="refused, 1 change would lose data",
        refused={("delete", "registry-repository")},
    ),
    _edit(
        "push-to-another-repository",
        {"repository": "europe-west1-docker.pkg.dev/host-project/images"},
        headline="refused, 1 change would lose data",
        refused={("delete", "registry-repository")},
    ),
    _edit(
        "monitor-nothing",
        {"monitoring.enabled": False},
        headline="loses no data, but 18 changes are less safe",
    ),
    _edit(
        "name-a-deployer-without-handing-accounts-over",
        {"deployer": "event-store-deployer@event-store-prod.iam.gserviceaccount.com"},
        headline="refused, ",
        refused={
            *(("delete", each) for each in ("bus-push", "event-store-account", "migrations-account")),
            ("delete", _KEY_S_GRANT),
        },
    ),
    _edit("label-everything", {"labels.team": "words"}, **HARMLESS),
    _edit(
        "take-another-topology",
        {"topology": "plain.yaml"},
        headline="refused, ",
        refused={
            *(("delete", f"bus-{each}") for each in (*TOPICS[2:], *DEAD_LETTERS[1:])),
            *(
                ("delete", f"bus-{each}-subscription")
                for each in SUBSCRIPTIONS[1:]
                if each != DEAD_LETTERS[0]
            ),
            ("delete", _KEY_S_GRANT),
            (
                "update messageRetentionDuration, retainAckedMessages",
                "bus-vocabulary-projection-subscription",
            ),
            ("update messageRetentionDuration", "bus-progress-events"),
        },
    ),
    _edit("order-every-topic-by-partitions", {"ordering": {"partitions": 64}}, headline="loses no data"),
)
