"""Edits of prod on AlloyDB, with a key and a read pool."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.bases import KEYS
from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_CLUSTER_ANEW: Final = {
    ("replace", "database-cluster"),
    ("replace", "database-primary"),
    ("replace", "database-readers"),
}

_KEY_S_GRANT_GOES: Final = ("delete", "database-key-security.europe-west1.events.log")


def _edit(name: str, config: dict[str, Any], **what: Any) -> Edit:
    return Edit(name=name, base="alloydb-unprotected", config=config, **what)


EDITS: Final = (
    Edit(
        name="remove-the-read-pool-of-a-protected-cluster",
        base="alloydb",
        config={"alloydb.read_nodes": 0},
        headline="loses no data",
        says=("a read pool holds nothing of its own",),
    ),
    Edit(
        name="unprotect-a-cluster",
        base="alloydb",
        config={"protected": False},
        headline="loses no data, but ",
        says=("database-cluster", "database-primary", "deletionPolicy", "deletionProtection"),
    ),
    _edit(
        "keep-fewer-backups-of-a-cluster",
        {"database.retained_backups": 7},
        headline="refused, 1 change would lose data",
        refused={("update automatedBackupPolicy.quantityBasedRetention.count", "database-cluster")},
    ),
    _edit(
        "keep-fewer-days-of-a-cluster-s-log",
        {"alloydb.recovery_window_days": 1},
        headline="refused, 1 change would lose data",
        refused={("update continuousBackupConfig.recoveryWindowDays", "database-cluster")},
    ),
    _edit("make-no-backups-of-a-cluster", {"database.backups": False}, headline="the preview failed"),
    _edit(
        "give-up-a-cluster-s-point-in-time-recovery",
        {"database.point_in_time_recovery": False},
        headline="the preview failed",
    ),
    _edit(
        "take-the-cluster-s-certificate-away",
        {"alloydb.server_ca": ""},
        headline="refused, 2 changes could not be taken back",
        refused={("delete", "event-store-account"), ("delete", "migrations-account")},
        says=("event-store-service",),
    ),
    _edit(
        "remove-the-read-pool",
        {"alloydb.read_nodes": 0},
        headline="loses no data",
        says=("a read pool holds nothing of its own",),
    ),
    _edit(
        "go-back-to-an-earlier-version-of-alloydb",
        {"alloydb.version": "POSTGRES_16"},
        headline="refused, Google would not make",
        says=("never goes back",),
    ),
    _edit(
        "move-to-cloud-sql",
        {"database.engine": "cloudsql"},
        headline="refused, ",
        refused={
            ("delete", "database-readers"),
            ("delete", "database-primary"),
            ("delete", "database-cluster"),
            _KEY_S_GRANT_GOES,
            ("create", "database-instance"),
        },
        says=(
            "instead: make a second stack with the engine `cloudsql` and import the log into it",
            "instead: keep `database-cluster`, which takes it along.",
        ),
        omits=("restore_from", "another instance of the cluster"),
    ),
    _edit(
        "begin-a-generation-of-the-cluster",
        {"database.generation": 2},
        headline="refused, 1 change would lose data, 2 could not be taken back",
        refused=_CLUSTER_ANEW,
        says=("instead: set `event-store:database.generation` back to `1`.",),
    ),
    _edit(
        "take-the-cluster-s-key-away",
        {"database.kms_key": None},
        headline="refused, 2 changes would lose data, 2 could not be taken back",
        refused={*_CLUSTER_ANEW, _KEY_S_GRANT_GOES},
    ),
    _edit(
        "give-the-cluster-another-key",
        {"database.kms_key": f"{KEYS}/other"},
        headline="refused, 2 changes would lose data, 2 could not be taken back",
        refused={*_CLUSTER_ANEW, _KEY_S_GRANT_GOES},
    ),
    _edit(
        "give-up-the-cluster-s-standby",
        {"database.availability": "ZONAL"},
        headline="loses no data, but 1 change is less safe",
    ),
    _edit("take-a-larger-machine-of-alloydb", {"alloydb.cpus": 4}, headline="loses no data"),
    Edit(
        name="rename-the-primary-in-the-program",
        base="alloydb-unprotected",
        program=(
            Patch(
                "components/database/alloydb.py", '_instance(f"{name}-primary"', '_instance(f"{name}-main"'
            ),
        ),
        headline="refused, 1 change could not be taken back",
        refused={("delete", "database-primary")},
    ),
    _edit("label-a-cluster", {"labels.team": "words"}, **HARMLESS),
)
