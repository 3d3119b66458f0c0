"""Edits of small stacks: staging by Private Service Connect, dev, and dev joined to what others own."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_BACKUPS: Final = "settings.backupConfiguration"
_PROJECTION: Final = "subscriptions.vocabulary-projection"
_HOSTILE: Final = "user:a`</details>@octocat"


def _by_endpoint(name: str, **what: Any) -> Edit:
    return Edit(name=name, base="endpoint", **what)


def _dev(name: str, **what: Any) -> Edit:
    return Edit(name=name, base="dev", **what)


def _joined(name: str, **what: Any) -> Edit:
    return Edit(name=name, base="joined", **what)


EDITS: Final = (
    _by_endpoint(
        "take-the-endpoint-away",
        config={"database.private_service_connect": False},
        headline="refused, Google would not make",
        says=("how an instance is reached",),
    ),
    _by_endpoint(
        "grow-the-endpoint-s-subnetwork",
        config={"network": {"cidr": "10.8.0.0/23"}},
        headline="loses no data",
    ),
    _by_endpoint(
        "rename-the-endpoint-in-the-program",
        program=(Patch("components/database/endpoint.py", 'f"{name}-endpoint"', 'f"{name}-rule"'),),
        headline="loses no data, but stops ",
    ),
    _dev(
        "give-up-point-in-time-recovery-of-dev",
        config={"database.point_in_time_recovery": False},
        headline="refused, 1 change would lose data",
        refused={(f"update {_BACKUPS}.pointInTimeRecoveryEnabled", "database-instance")},
    ),
    _dev(
        "give-up-backups-of-dev",
        config={"database.point_in_time_recovery": False, "database.backups": False},
        headline="refused, 1 change would lose data",
        refused={
            (
                f"update {_BACKUPS}.enabled, {_BACKUPS}.pointInTimeRecoveryEnabled",
                "database-instance",
            )
        },
    ),
    _dev(
        "join-a-network-with-dev",
        config={
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
    _dev("migrate-once-more", config={"migration_attempt": 2}, **HARMLESS),
    _dev("rename-the-stack", renamed="development", headline="no change"),
    _dev("make-a-second-stack-on-a-live-project", stack="dev-2", headline="compared with nothing"),
    _dev(
        "name-a-consumer-that-looks-like-markdown",
        topology={f"{_PROJECTION}.consumers": [_HOSTILE]},
        headline="loses no data",
    ),
    _dev(
        "name-an-invoker-that-looks-like-markdown",
        config={"service.invokers": [_HOSTILE]},
        headline="loses no data",
    ),
    _dev(
        "label-with-markdown",
        config={"labels": {"team": "`</details>@octocat"}},
        headline="the preview failed",
    ),
    _dev(
        "acknowledge-what-looks-like-markdown",
        acknowledged={"a\n## forged `</details>@octocat": "delete"},
        headline="no change",
    ),
    _dev(
        "label-a-topic-with-markdown",
        topology={"topics.progress-events.labels": {"team": "`</details>@octocat"}},
        headline="the preview failed",
    ),
    _dev(
        "write-a-topology-that-looks-like-markdown",
        topology={"routes.0.topics": ["a`</details>@octocat\n# forged"]},
        headline="the preview failed",
    ),
    _joined(
        "join-another-instance",
        config={"database.instance": "others"},
        headline="refused, 2 changes would lose data",
        refused={
            ("replace", "database-database"),
            ("update template.containers.envs.PGHOST", "event-store-service"),
        },
    ),
    _joined(
        "leave-the-joined-instance",
        config={"database.instance": None},
        headline="refused, ",
        refused={("create", "database-instance")},
    ),
    _joined(
        "join-another-network",
        config={"network.vpc": "projects/host-project/global/networks/other"},
        headline="loses no data, but stops ",
    ),
    _joined(
        "leave-the-joined-network",
        config={"network": None},
        headline="loses no data, but stops ",
    ),
    _joined(
        "rename-the-joined-database-s-type-in-the-program",
        program=(
            Patch(
                "components/database/joined_database.py",
                "event-store:infra:JoinedDatabase",
                "event-store:infra:Joined",
            ),
        ),
        headline="refused, 1 change would lose data",
        refused={("delete", "database-database")},
    ),
    _joined(
        "unprotect-a-joined-stack",
        config={"protected": False},
        headline="loses no data, but ",
        says=("bus-vocabulary-events", "bus-vocabulary-projection-subscription"),
    ),
    _joined(
        "unprotect-the-state",
        unprotected=("bus-vocabulary-projection-subscription",),
        headline="no change",
    ),
    _joined(
        "unprotect-the-state-and-remove-a-subscription",
        unprotected=(
            "bus-vocabulary-projection-subscription",
            "bus-vocabulary-projection-dead-letter-subscription",
            "bus-vocabulary-projection-dead-letter",
        ),
        topology={_PROJECTION: None},
        headline="refused, 3 changes would lose data",
        refused={
            ("delete", "bus-vocabulary-projection-subscription"),
            ("delete", "bus-vocabulary-projection-dead-letter-subscription"),
            ("delete", "bus-vocabulary-projection-dead-letter"),
        },
    ),
    _joined(
        "remove-a-route-of-a-joined-stack",
        topology={"routes.1": None},
        headline="loses no data, but stops ",
        says=("Progress",),
    ),
    _joined(
        "rename-a-topic-beside-a-kept-generation",
        unprotected=("bus-vocabulary-events",),
        topology={
            "topics.vocabulary-events.name": "vocabulary-log",
            f"{_PROJECTION}.topic": "vocabulary-log",
            f"{_PROJECTION}.generation": 2,
            f"{_PROJECTION}.keptGenerations": [1],
            "routes.0.topics": ["vocabulary-log"],
        },
        headline="refused, 1 change would lose data",
        refused={("delete", "bus-vocabulary-events")},
    ),
    _joined(
        "shorten-the-retention-of-a-kept-generation",
        topology={
            f"{_PROJECTION}.messageRetentionDuration": "1d",
            f"{_PROJECTION}.generation": 2,
            f"{_PROJECTION}.keptGenerations": [1],
        },
        headline="refused, 1 change would lose data",
        refused={("update messageRetentionDuration", "bus-vocabulary-projection-subscription")},
    ),
)
