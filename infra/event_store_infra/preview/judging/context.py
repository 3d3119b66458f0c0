"""What the rest of a plan adds to the end of one resource: what goes with it, and what would keep it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from event_store_infra.preview.effects.bus.pubsub import SUBSCRIPTION
from event_store_infra.preview.effects.database.alloydb import CLUSTER, NODE
from event_store_infra.preview.effects.database.sql import DATABASE, INSTANCE
from event_store_infra.preview.effects.effect import Effect, Severity
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import Plan, Step
from event_store_infra.settings.stack import NAMESPACE, decoded

ENDS: Final = ("delete", "replace", "delete-replaced")
# By type, what a resource goes with: its type, and the property that names it.
_CONTAINERS: Final = {DATABASE: (INSTANCE, "instance"), NODE: (CLUSTER, "cluster")}
_NAMED: Final = {INSTANCE: "name", CLUSTER: "clusterId"}
_GENERATION: Final = re.compile(r"(.+)-(\d+)")
_SUBSCRIPTION_S: Final = re.compile(r"(.+?)(?:-g(\d+))?")


def in_context(effect: Effect, step: Step, plan: Plan) -> Effect:
    """Return what an end does, with what the rest of its plan tells. It is as bad as by itself.

    Args:
        effect: What it does by itself.
        step: A step that deletes or replaces.
        plan: The plan that it is part of.
    """
    rule = _RULES.get(step.type)
    return rule(effect, step, plan) if rule is not None and effect.severity.is_refused else effect


def goes_with(step: Step, plan: Plan) -> Step | None:
    """Return the step that ends what a resource is in, and the resource with it; None if that stays."""
    if step.type not in _CONTAINERS:
        return None
    kind, named = _CONTAINERS[step.type]
    return _end_of(kind, last_part(step.old.get(named)), plan)


def logs_that_go(plan: Plan) -> list[Step]:
    """Return the steps that end an instance or a cluster which has a log of its own, also if it is kept."""
    ends = [each for each in plan.steps if each.type in _NAMED and each.op in ENDS]
    return [each for each in ends if not each.old.get("masterInstanceName")]


def database_settings(plan: Plan) -> Mapping[str, Any]:
    """Return the database's settings of the stack's file, as they are written; empty without any."""
    settings = decoded(plan.config.get(f"{NAMESPACE}database", "{}"))
    return settings if isinstance(settings, Mapping) else {}


def last_part(path: object) -> str:
    """Return the last part of a path as in `projects/p/schemas/s`, which a bare name is, too."""
    return path.rpartition("/")[2].rpartition(":")[2] if isinstance(path, str) else ""


def _instance(effect: Effect, step: Step, plan: Plan) -> Effect:
    primary = _end_of(INSTANCE, _primary_of(step), plan)
    if primary is not None:
        what = "the last copy of the log, since its primary goes, too"
        return replace(effect, what=what, instead=f"keep its primary, {code(primary.name)}.", before="")
    kept = _to_keep(step, plan)
    if kept:
        instead = (
            f"keep the earlier instance by `kept_generations: {sorted(kept)}` under `event-store:database`, "
            "until nobody needs its log any more: see docs/howto/restore.md."
        )
        return replace(effect, instead=instead, before="")
    return effect


def _primary_of(replica: Step) -> str:
    """Return the name of what a replica follows, in the program's eyes and in Google's; empty for none."""
    names = [last_part(each.get("masterInstanceName")) for each in (replica.old, replica.outputs) if each]
    return names[0] if names and all(names) else ""


def _to_keep(step: Step, plan: Plan) -> set[int]:
    """Return the generations to keep where a later one is made in the place of an instance; else none."""
    made = [each for each in plan.steps if each.type == INSTANCE and each.op == "create"]
    latest = max((number for each in made for number in _generations(each.new)), default=0)
    if step.op != "delete" or step.old.get("masterInstanceName"):
        return set()
    if not any(number < latest for number in _generations(step.old)):
        return set()
    kept = database_settings(plan).get("kept_generations")
    ends = [each.old for each in logs_that_go(plan) if each.type == INSTANCE]
    return {number for each in ends for number in _generations(each) if number < latest} | set(kept or ())


def _generations(inputs: Mapping[str, object]) -> Iterator[int]:
    if not inputs.get("masterInstanceName") and (found := _GENERATION.fullmatch(str(inputs.get("name")))):
        yield int(found[2])


def _contained(effect: Effect, step: Step, plan: Plan) -> Effect:
    container = goes_with(step, plan)
    if container is not None:
        return replace(effect, instead=f"keep {code(container.name)}, which takes it along.", before="")
    if step.kept and effect.severity == Severity.LOSES:
        return replace(effect, what=f"sight of {effect.what}")
    return effect


def _subscription(effect: Effect, step: Step, plan: Plan) -> Effect:
    """Tell how to keep a subscription beside its next generation (docs/howto/subscriptions.md)."""
    if step.op != "delete":
        return effect
    base, number = _generation_of(step.old)
    made = [each.new for each in plan.steps if each.type == SUBSCRIPTION and each.op == "create"]
    numbers = [each for name, each in map(_generation_of, made) if name == base]
    if number in numbers or max(numbers, default=0) < number:
        return effect
    instead = (
        f"keep it beside the next generation: add {number} to its `keptGenerations` in topology.yaml, and "
        "remove it in a later update, once it is drained."
    )
    return replace(effect, instead=instead, before="")


def _generation_of(inputs: Mapping[str, object]) -> tuple[str, int]:
    found = _SUBSCRIPTION_S.fullmatch(str(inputs.get("name")))
    return (found[1], int(found[2] or 1)) if found else ("", 0)


_RULES: Final[Mapping[str, Callable[[Effect, Step, Plan], Effect]]] = {
    INSTANCE: _instance,
    DATABASE: _contained,
    NODE: _contained,
    SUBSCRIPTION: _subscription,
}


def _end_of(kind: str, name: str, plan: Plan) -> Step | None:
    """Return the step that ends a resource for good, by its type and name."""
    ends = [each for each in plan.steps if each.type == kind and each.op in ENDS and not each.kept]
    return next((each for each in ends if name and last_part(each.old.get(_NAMED[kind])) == name), None)
