"""An empty one in place of one that held data: a loss, although nothing is deleted."""

from typing import Final

from infra.preview.effects.alloydb import CLUSTER
from infra.preview.effects.effect import HARMLESS, Effect, Severity, cuts_off, loses
from infra.preview.effects.run import JOB, POOL, SERVICE
from infra.preview.effects.sql import INSTANCE
from infra.preview.effects.told import of_its_end
from infra.preview.plan import Plan, Step

# What gives a new instance or cluster the data of another one, or makes it follow one.
_FILLED: Final = (
    "clone",
    "masterInstanceName",
    "restoreBackupContext",
    "pointInTimeRestoreContext",
    "backupdrBackup",
    "restoreBackupSource",
    "restoreContinuousBackupSource",
    "restoreBackupdrBackupSource",
    "restoreBackupdrPitrSource",
    "secondaryConfig",
)
_WORKLOADS: Final = (SERVICE, JOB, POOL)


def of_an_empty_one(step: Step, plan: Plan) -> Effect:
    """Return what is lost as a step makes a resource where one was before.

    Args:
        step: A step that creates.
        plan: The plan that it is part of.
    """
    if any(step.new.get(each) for each in _FILLED):
        return HARMLESS
    if step.urn in plan.found_gone:
        return _in_place_of_the_lost(of_its_end(step))
    if step.type in (INSTANCE, CLUSTER) and any(each.type in _WORKLOADS and each.old for each in plan.steps):
        return loses(
            "sight of the log: the service goes over to an empty one, whose positions begin at 1 again, and "
            "consumers take its events for those that they have seen",
            "set `event-store:database.restore_from`, so that the new one begins as a copy: see "
            "docs/restore.md.",
            "https://docs.cloud.google.com/sql/docs/postgres/clone-instance",
        )
    return HARMLESS


def _in_place_of_the_lost(gone: Effect) -> Effect:
    if not gone.severity.is_refused:
        return HARMLESS
    lost = f"{gone.what}. It was deleted outside of Pulumi, and an empty one would take its place"
    tell = loses if gone.severity == Severity.LOSES else cuts_off
    return tell(
        lost, "restore it from a backup, and import it, if it can be had: see docs/restore.md.", gone.source
    )
