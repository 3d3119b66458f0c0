"""Cloud SQL: instances, the databases in them, and who logs in."""

from collections.abc import Mapping
from typing import Final

from infra.preview.effects.effect import Effects, less_safe, loses, stops
from infra.preview.effects.rules import ends, falls, harmless

INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
DATABASE: Final = "gcp:sql/database:Database"
USER: Final = "gcp:sql/user:User"
RESTORE: Final = "make another instance beside this one, restored from it: see docs/restore.md."
BACKUP: Final = "take a backup that outlives the instance, and restore it somewhere once."
_BACKUPS: Final = "https://docs.cloud.google.com/sql/docs/postgres/backup-recovery/backups"
_DELETION: Final = "https://docs.cloud.google.com/sql/docs/postgres/delete-instance"

_INSTANCE: Final = Effects(
    gone=loses(
        "the log: every event and snapshot, with all checkpoints, and the name for a week",
        *(RESTORE, _DELETION, BACKUP),
    ),
    properties={
        **harmless("databaseVersion", "maintenanceVersion"),
        "deletionProtection": ends(
            less_safe("the provider no longer refuses to delete it", _DELETION), unset=True
        ),
        **harmless("tier", "userLabels", at="settings"),
        "settings.backupConfiguration.backupRetentionSettings.retainedBackups": falls(
            loses("the backups beyond the new number", "keep the number.", _BACKUPS), unset=7
        ),
    },
)
_DATABASE: Final = Effects(
    gone=loses("the log: every event and snapshot, with all checkpoints", RESTORE, _DELETION, BACKUP),
    properties={},
)
_USER: Final = Effects(
    # What it owns in the database stays with the database.
    gone=stops(
        "whoever logs in with it", "https://docs.cloud.google.com/sql/docs/postgres/add-manage-iam-users"
    ),
    properties={},
)
TABLES: Final[Mapping[str, Effects]] = {INSTANCE: _INSTANCE, DATABASE: _DATABASE, USER: _USER}
