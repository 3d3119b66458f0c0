"""What Google refuses although nothing would be lost: changes that no single update can make.

Pulumi updates a primary before what follows it, since the latter refers to it. So a primary that grows is
refused while its replica is still the smaller one, and a major version while one of another version follows.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from event_store_infra.preview.effects.database.alloydb import CLUSTER, NODE
from event_store_infra.preview.effects.database.sql import DATABASE, INSTANCE
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import UNKNOWN, Plan, Step
from event_store_infra.settings.database.replica import shortfall


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """A step that Google refuses. It cannot be acknowledged.

    Attributes:
        step: The step.
        reason: Why Google refuses it, a sentence.
        instead: The updates that lead there, a sentence.
    """

    step: Step
    reason: str
    instead: str


def obstacles(plan: Plan) -> tuple[Obstacle, ...]:
    """Return what Google would refuse of a plan, in the engine's order."""
    updates = [step for step in plan.steps if step.op == "update"]
    found = tuple(each for rule in _RULES for step in updates for each in rule(step, updates))
    return (*found, *_databases_of_copies(plan))


def _databases_of_copies(plan: Plan) -> Iterator[Obstacle]:
    """https://docs.cloud.google.com/sql/docs/postgres/clone-instance : a clone has all of its source."""
    stands = [each for each in (*plan.standing, *plan.steps) if each.type == INSTANCE and each.old]
    copies = {each.old.get("name") for each in stands if each.old.get("clone")}
    for step in plan.steps:
        if step.type == DATABASE and step.op == "create" and step.new.get("instance") in copies:
            yield Obstacle(
                step=step,
                reason="its instance was made as a copy of another one, and has this database already.",
                instead="set `event-store:database.restore_from` to what it was: it tells the program that "
                "the instance is a copy, and restores nothing again.",
            )


def _version_falls(step: Step, _updates: list[Step]) -> Iterator[Obstacle]:
    """https://docs.cloud.google.com/sql/docs/postgres/upgrade-major-db-version-inplace ."""
    if step.type in (INSTANCE, CLUSTER) and 0 < _major(step.new) < _major(step.old):
        yield Obstacle(
            step=step,
            reason="a database never goes back to an earlier major version.",
            instead="set the later version again, or restore a backup of before: see docs/howto/restore.md.",
        )


def _becomes_another_kind_under_a_replica(step: Step, updates: list[Step]) -> Iterator[Obstacle]:
    """https://www.postgresql.org/docs/current/warm-standby.html: both have one major version."""
    if step.type == INSTANCE and _is_another_kind(step) and _replicas(step, updates):
        yield Obstacle(
            step=step,
            reason="a read replica of another major version or edition cannot follow it.",
            instead="set `event-store:database.read_replica` to false and update, make this change and "
            "update, and then set it to true again. A replica holds nothing of its own, so this needs no "
            "acknowledgement.",
        )


def _primary_outgrows_its_replica(step: Step, updates: list[Step]) -> Iterator[Obstacle]:
    """https://github.com/terraform-google-modules/terraform-google-sql-db/issues/210 ."""
    if _is_another_kind(step):
        return
    for replica in _replicas(step, updates):
        lower = shortfall(_demands(step.new), _demands(replica.old))
        if lower:
            keys = [f"replica_{'tier' if name == 'tier' else f'flags.{name}'}" for name in lower]
            yield Obstacle(
                step=step,
                reason=f"{code(replica.name)} follows it, and has less as yet: {', '.join(lower)}.",
                instead="change what follows first: keep the old value, set "
                + " and ".join(f"{code(f'event-store:database.{key}')} to the new one" for key in keys)
                + ", and update; then change it as here, without the replica's, and update again.",
            )


def _cluster_moves(step: Step, _updates: list[Step]) -> Iterator[Obstacle]:
    """https://docs.cloud.google.com/alloydb/docs/cluster-create: the network is chosen there."""
    if step.type == CLUSTER and any(each.path.startswith("networkConfig.network") for each in step.changes):
        yield Obstacle(
            step=step,
            reason="a cluster stays in the network that it was made in.",
            instead="make another cluster beside it: see docs/howto/alloydb.md.",
        )


def _disk_becomes_another(step: Step, _updates: list[Step]) -> Iterator[Obstacle]:
    """https://docs.cloud.google.com/sql/docs/postgres/instance-settings says what cannot be edited."""
    old, new = ((each.get("settings") or {}).get("diskType") for each in (step.old, step.new))
    if step.type == INSTANCE and old and new and old != new:
        yield Obstacle(
            step=step,
            reason="the type of a disk is decided when its instance is made.",
            instead="make another instance beside this one, restored from it: see docs/howto/restore.md.",
        )


def _disk_shrinks(step: Step, _updates: list[Step]) -> Iterator[Obstacle]:
    """https://docs.cloud.google.com/sql/docs/postgres/instance-settings : storage never decreases."""
    old, new = (_settings(each).get("diskSize") for each in ({**step.outputs, **step.old}, step.new))
    if step.type == INSTANCE and isinstance(old, int | float) and isinstance(new, int | float) and new < old:
        yield Obstacle(
            step=step,
            reason="a disk never shrinks.",
            instead="leave its size as it is, or make a smaller instance beside it: export, and import.",
        )


def _endpoint_goes(step: Step, _updates: list[Step]) -> Iterator[Obstacle]:
    if (
        step.type == INSTANCE
        and _addresses(step.old).get("pscConfigs")
        and not _addresses(step.new).get("pscConfigs")
    ):
        yield Obstacle(
            step=step,
            reason="how an instance is reached is decided when it is made.",
            instead="make another instance beside this one, restored from it: see docs/howto/restore.md.",
        )


_RULES: Final[tuple[Callable[[Step, list[Step]], Iterator[Obstacle]], ...]] = (
    _version_falls,
    _becomes_another_kind_under_a_replica,
    _primary_outgrows_its_replica,
    _cluster_moves,
    _disk_becomes_another,
    _disk_shrinks,
    _endpoint_goes,
)


def _replicas(step: Step, updates: list[Step]) -> list[Step]:
    """Return the changed steps of what follows a primary; what does not change is checked by the settings."""
    if step.type == INSTANCE and "masterInstanceName" not in step.new:
        replicas = [each for each in updates if "masterInstanceName" in each.old]
        return [each for each in replicas if each.old["masterInstanceName"] == step.new.get("name")]
    if step.type == NODE and step.new.get("instanceType") == "PRIMARY":
        pools = [each for each in updates if each.new.get("instanceType") == "READ_POOL"]
        return [each for each in pools if each.old.get("cluster") == step.old.get("cluster")]
    return []


def _demands(inputs: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    """Return the tier, empty for AlloyDB's machines, and the flags of an instance's inputs."""
    if "settings" not in inputs:
        return "", dict(inputs.get("databaseFlags") or {})
    settings = inputs["settings"]
    return str(settings.get("tier", "")), {
        each["name"]: each["value"] for each in settings.get("databaseFlags") or ()
    }


def _is_another_kind(step: Step) -> bool:
    """Tell whether a program asks for another edition, or for a later version, by what stands in Google."""
    old, new = (_settings(each).get("edition") for each in ({**step.outputs, **step.old}, step.new))
    is_later = _major(step.new) > _major(step.old) > 0
    return is_later or (bool(old and new) and new not in (UNKNOWN, old))


def _settings(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    found = inputs.get("settings")
    return found if isinstance(found, Mapping) else {}


def _addresses(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    found = _settings(inputs).get("ipConfiguration")
    return found if isinstance(found, Mapping) else {}


def _major(inputs: Mapping[str, Any]) -> int:
    found = re.fullmatch(r"POSTGRES_(\d+)", str(inputs.get("databaseVersion")))
    return int(found[1]) if found else 0
