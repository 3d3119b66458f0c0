"""What goes without a loss although its type holds data: what it held stands elsewhere, and stays there.

Whoever is taught to acknowledge a false alarm acknowledges the real one, too. A rule here therefore names the
place where the data stays, and holds only if the same plan leaves that place alone.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from event_store_infra.preview.effects.bus.pubsub import SCHEMA, TOPIC
from event_store_infra.preview.effects.database.alloydb import CLUSTER, NODE
from event_store_infra.preview.effects.database.sql import DATABASE, INSTANCE
from event_store_infra.preview.effects.project.operations import ACCOUNT
from event_store_infra.preview.effects.workload.run import POOL
from event_store_infra.preview.judging.context import last_part
from event_store_infra.preview.judging.emptied import of_an_empty_one
from event_store_infra.preview.judging.relieved import moves_to_the_service
from event_store_infra.preview.plan.plan import Plan, Step

_STAYS: Final = "update"  # the only operation that leaves in its place what a plan names


def reason_to_spare(step: Step, plan: Plan) -> str:
    """Return why nothing is lost with what a step deletes or replaces, a sentence; empty if that is not so.

    Args:
        step: A step that deletes or replaces.
        plan: The plan that it is part of.
    """
    rule = _RULES.get(step.type)
    return rule(step, plan) if rule is not None else ""


def _replica(step: Step, plan: Plan) -> str:
    """https://docs.cloud.google.com/sql/docs/postgres/replication : a read replica only follows its primary.

    One that was promoted outside of Pulumi is none any more, which its outputs tell, nor is one that the
    program promotes.
    """
    if step.new and not step.new.get("masterInstanceName"):
        return ""
    primaries = [last_part(each.get("masterInstanceName")) for each in (step.old, step.outputs) if each]
    if primaries and all(primaries) and _stay(plan, INSTANCE, primaries[0]):
        return "a read replica holds nothing of its own: all of it is in its primary, which stays."
    return ""


def _read_pool(step: Step, plan: Plan) -> str:
    """https://docs.cloud.google.com/alloydb/docs/overview : the data is in the cluster's storage."""
    if step.old.get("instanceType") == "READ_POOL" and _stay(
        plan, CLUSTER, last_part(step.old.get("cluster"))
    ):
        return "a read pool holds nothing of its own: all of it is in its cluster, which stays."
    return ""


def _database(step: Step, plan: Plan) -> str:
    """Spare what a new generation leaves behind in its instance (docs/howto/restore.md).

    An empty instance that the service goes over to is a loss, and told as that one is made.
    """
    instance = last_part(step.old.get("instance"))
    if step.op != "delete" or not step.kept or not _stay(plan, INSTANCE, instance):
        return ""
    made = [each for each in plan.steps if each.type == INSTANCE and each.op == "create"]
    if any(_source(each.new) == instance for each in made):
        return "it stays in its instance, which stays, and the restored instance brings a copy along."
    if any(of_an_empty_one(each, plan).severity.is_refused for each in made):
        return "it stays in its instance, which stays."
    return ""


def _schema(step: Step, plan: Plan) -> str:
    """https://docs.cloud.google.com/pubsub/docs/delete-schema : its topics would refuse to publish."""
    topics = [each for each in plan.steps if each.type == TOPIC]
    users = [each for each in topics if last_part(_schema_of(each.old)) == last_part(step.id)]
    if step.op != "delete" or not step.id or not users or not all(map(_is_released, users)):
        return ""
    does = (
        "deletes its topic, too" if all(each.op == "delete" for each in users) else "takes it off its topic"
    )
    return (
        f"the same update {does}. Messages that were published before still name it: "
        "a consumer that looks it up no longer finds it."
    )


def _is_released(topic: Step) -> bool:
    """Tell whether a topic goes, or names another schema or none from now on, where it stands or anew."""
    if topic.op in ("delete", "replace"):
        return not topic.kept and _schema_of(topic.new) != _schema_of(topic.old)
    return topic.op == _STAYS and _schema_of(topic.new) != _schema_of(topic.old)


def _account(step: Step, plan: Plan) -> str:
    """Spare what only the relay's worker pool acted as, as the service takes over.

    What it was granted this stack has granted; nobody else has to let the relay do anything.
    """
    pools = [each for each in plan.steps if each.type == POOL and each.op == "delete"]
    acted_as = {(each.old.get("template") or {}).get("serviceAccount") for each in pools}
    if step.op == "delete" and moves_to_the_service(plan) and acted_as == {last_part(step.id)}:
        return "the service relays from now on, as its own account, which is granted what the relay needs."
    return ""


_RULES: Final[Mapping[str, Callable[[Step, Plan], str]]] = {
    INSTANCE: _replica,
    NODE: _read_pool,
    DATABASE: _database,
    SCHEMA: _schema,
    ACCOUNT: _account,
}


def _stay(plan: Plan, kind: str, name: str) -> bool:
    """Tell whether a plan leaves a resource where it is. One that it makes was not there."""
    key = "clusterId" if kind == CLUSTER else "name"
    return bool(name) and not any(
        each.op != _STAYS and name in (last_part(each.old.get(key)), last_part(each.new.get(key)))
        for each in plan.steps
        if each.type == kind
    )


def _source(inputs: Mapping[str, Any]) -> str:
    clone = inputs.get("clone")
    return last_part(clone.get("sourceInstanceName")) if isinstance(clone, Mapping) else ""


def _schema_of(inputs: Mapping[str, Any]) -> object:
    settings = inputs.get("schemaSettings")
    return settings.get("schema") if isinstance(settings, Mapping) else None
