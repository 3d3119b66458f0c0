"""An empty one or another's copy in place of one that held data: a loss, although nothing is deleted."""

from collections.abc import Mapping
from typing import Final

from event_store_infra.preview.effects.database.alloydb import CLUSTER
from event_store_infra.preview.effects.database.sql import DATABASE, INSTANCE, USER
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Severity, cuts_off, loses
from event_store_infra.preview.effects.project.operations import ACCOUNT
from event_store_infra.preview.effects.told import of_its_end
from event_store_infra.preview.effects.workload.run import JOB, POOL, SERVICE
from event_store_infra.preview.judging.context import logs_that_go
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import Plan, Step

# What makes a new instance or cluster follow another one, which has all of it.
FOLLOWS: Final = ("masterInstanceName", "secondaryConfig")
# What gives it the data of another one, as that was at some time.
COPIES: Final = (
    "clone",
    "restoreBackupContext",
    "pointInTimeRestoreContext",
    "backupdrBackup",
    "restoreBackupSource",
    "restoreContinuousBackupSource",
    "restoreBackupdrBackupSource",
    "restoreBackupdrPitrSource",
)
_WORKLOADS: Final = (SERVICE, JOB, POOL)
_RESTORED: Final = "https://docs.cloud.google.com/sql/docs/postgres/backup-recovery/restoring"
# An engine's log does not move to the other one in place: it is imported into a stack of its own.
_MOVE: Final = {
    INSTANCE: "make a second stack with the engine `cloudsql` and import the log into it: "
    "see docs/howto/importing.md.",
    CLUSTER: "make a second stack with the engine `alloydb` and import the log into it: "
    "see docs/howto/alloydb.md, From Cloud SQL to AlloyDB.",
}
_INSTEAD: Final = {
    INSTANCE: "begin the new one as a copy: set `restore_from: {instance: NAME, time: TIME}` under "
    "`event-store:database`, with the instance that serves now: see docs/howto/restore.md.",
    CLUSTER: "restore the former cluster by `gcloud alloydb clusters restore`, and import it: "
    "see docs/howto/alloydb.md.",
}
# https://docs.cloud.google.com/iam/docs/service-accounts-delete-undelete
_UNDELETED: Final = (
    "undelete it by `gcloud iam service-accounts undelete`, which Google refuses once another has its name."
)
_HAD_BACK: Final = {
    **dict.fromkeys(
        (INSTANCE, DATABASE, CLUSTER),
        "restore it from a backup, and import it, before an empty one is there: see docs/howto/restore.md.",
    ),
    ACCOUNT: _UNDELETED,
}


def of_an_empty_one(step: Step, plan: Plan) -> Effect:
    """Return what is lost as a step makes a resource where one was before.

    Args:
        step: A step that creates.
        plan: The plan that it is part of.
    """
    if any(step.new.get(each) for each in FOLLOWS):
        return HARMLESS
    if step.urn in plan.found_gone:
        return _in_place_of_the_lost(step)
    if step.type not in _INSTEAD or not any(_goes_over(each, step, plan) for each in plan.steps):
        return HARMLESS
    if any(step.new.get(each) for each in COPIES):
        return _of_another_one_s_copy(step, plan)
    ends = logs_that_go(plan)
    is_another_engine = any(each.type != step.type for each in ends)
    old = "is deleted" if any(not each.kept for each in ends) else "stays where it is, unused"
    return loses(
        "sight of the log: the service would use a new and empty one. Its positions begin at 1 again, so "
        f"consumers skip new events as already seen. The old log {old}",
        *((_MOVE if is_another_engine else _INSTEAD)[step.type], _RESTORED),
    )


def _of_another_one_s_copy(step: Step, plan: Plan) -> Effect:
    """Return what is lost as the service goes over to a copy of an instance that does not serve now.

    Which one serves is known by the logins that move. Of another kind of copy than a clone nobody knows the
    source.
    """
    clone = step.new.get("clone")
    source = str(clone.get("sourceInstanceName")).rpartition("/")[2] if isinstance(clone, Mapping) else ""
    logins = [each for each in plan.steps if each.type == USER and each.op in ("delete", "replace")]
    serves = {str(each.old["instance"]) for each in logins if each.old.get("instance")}
    if not source or not serves or source in serves:
        return HARMLESS
    return loses(
        f"sight of the log as it is: {', '.join(map(code, sorted(serves)))} serves now, and the new instance "
        f"begins as a copy of {code(source)}. Events that only the former has are not in the copy, and their "
        "positions are given to others",
        "set `restore_from.instance` under `event-store:database` to the instance that serves now: see "
        "docs/howto/restore.md.",
        _RESTORED,
    )


def _goes_over(workload: Step, made: Step, plan: Plan) -> bool:
    """Tell whether what ran before would run on a new one, or on what is made of it, as a cluster's instance.

    The first update of a stack, also after one that failed half-way, has nothing yet that runs.
    """
    if workload.type not in _WORKLOADS or not workload.old or workload.op == "delete":
        return False
    created = {each.urn: each.refers_to for each in plan.steps if each.op == "create"}
    seen: set[str] = set()
    ahead = set(workload.refers_to)
    while ahead:
        seen |= ahead
        ahead = {urn for each in ahead for urn in created.get(each, ())} - seen
    return made.urn in seen


def _in_place_of_the_lost(step: Step) -> Effect:
    """Return what is lost for good once there is one of its name again.

    What only cuts off, as a network or an instance of a cluster, is repaired by that. But others have granted
    to an account.
    """
    gone = of_its_end(step)
    lost = f"{gone.what}. It was deleted outside of Pulumi, and an empty one would take its place"
    if gone.severity == Severity.LOSES:
        instead = _HAD_BACK.get(step.type, "see whether it can be had back before an empty one is there.")
        return loses(lost, instead, gone.source)
    return cuts_off(lost, _UNDELETED, gone.source) if step.type == ACCOUNT else HARMLESS
