"""AlloyDB: clusters, which hold the data, the instances that serve it, backups, and who logs in."""

from collections.abc import Mapping
from typing import Final

from infra.preview.effects.effect import Effects, cuts_off, loses, stops
from infra.preview.effects.sql import BACKUP, RESTORE

CLUSTER: Final = "gcp:alloydb/cluster:Cluster"
NODE: Final = "gcp:alloydb/instance:Instance"
_DELETION: Final = "https://docs.cloud.google.com/alloydb/docs/cluster-delete"

TABLES: Final[Mapping[str, Effects]] = {
    CLUSTER: Effects(
        gone=loses("the log: every event and snapshot, with all checkpoints", RESTORE, _DELETION, BACKUP),
        properties={},
    ),
    NODE: Effects(
        gone=cuts_off(
            "everybody from the log: nobody can append or read until another instance serves, at "
            "another address",
            "change its machine in place, or add an instance beside it.",
            "https://docs.cloud.google.com/alloydb/docs/instance-delete",
            "let another instance of the cluster serve.",
        ),
        properties={},
    ),
    "gcp:alloydb/user:User": Effects(
        # What it owns in the database stays with the database.
        gone=stops("whoever logs in with it", "https://docs.cloud.google.com/alloydb/docs/manage-iam-authn"),
        properties={},
    ),
    "gcp:alloydb/backup:Backup": Effects(
        gone=loses(
            "a backup of the log",
            "take another backup beside it.",
            "https://docs.cloud.google.com/alloydb/docs/backup/manage-backups",
            "let it expire by itself.",
        ),
        properties={},
    ),
}
