"""What stops nobody although its type says so: it is told already, or the same plan starts it again.

A change of one thing has many steps. An account takes its grants along and a service its alerts; a relay that
moves stops at one place and starts at another. Only the step that matters is told, so that it is seen.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from event_store_infra.preview.effects import is_grant
from event_store_infra.preview.effects.bus.pubsub import SUBSCRIPTION, TOPIC
from event_store_infra.preview.effects.database.sql import INSTANCE
from event_store_infra.preview.effects.effect import HARMLESS, Effect
from event_store_infra.preview.effects.project import alerting
from event_store_infra.preview.effects.project.operations import ACCOUNT
from event_store_infra.preview.effects.told import of_its_end
from event_store_infra.preview.effects.workload import run
from event_store_infra.preview.effects.workload.containers import relays
from event_store_infra.preview.effects.workload.variables import RELAY_OFF
from event_store_infra.preview.judging.context import ENDS
from event_store_infra.preview.plan.plan import Plan, Step

_PUBLISHER: Final = "gcp:pubsub/topicIAMMember:TopicIAMMember"
# What alerts and metrics look at, by its name.
_WATCHED: Final = (run.SERVICE, run.POOL, run.JOB, INSTANCE, SUBSCRIPTION, TOPIC)


class Relieved:
    """What a plan need not tell.

    Args:
        plan: The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        ends = [each for each in plan.steps if each.op in ENDS]
        # What stays in Google Cloud takes nothing along.
        self._severities = {
            each.urn: HARMLESS.severity if each.kept else of_its_end(each).severity for each in ends
        }
        self._accounts = {each.urn for each in ends if each.type == ACCOUNT and not each.kept}
        gone = [each for each in ends if each.type in _WATCHED and not each.kept]
        self._gone_names = frozenset(name for each in gone for name in _names(each.old))
        self._moves_to_a_pool = _moves_to_a_pool(plan)
        self._moves_to_the_service = moves_to_the_service(plan)

    def spares(self, step: Step, effect: Effect) -> bool:
        """Tell whether an effect need not be told.

        Args:
            step: A step of the plan.
            effect: What it does, not refused: it stops somebody, or makes something less safe.
        """
        if effect == RELAY_OFF:
            return self._moves_to_a_pool
        if effect == run.GONE_POOL:
            return self._moves_to_the_service
        if effect == run.ANOTHER_ACCOUNT:
            return any(each in self._accounts for each in step.refers_to)
        if step.op in ENDS and is_grant(step.type):
            return self._goes_along(step, effect) or self._is_of_a_moving_relay(step)
        return step.type in (alerting.POLICY, alerting.METRIC) and self._has_nothing_to_look_at(step, effect)

    def _goes_along(self, step: Step, effect: Effect) -> bool:
        """Tell whether what a grant is on, or who has it, goes as well, and is told as at least as bad."""
        severities = (self._severities.get(each, HARMLESS.severity) for each in step.refers_to)
        return max(severities, default=HARMLESS.severity) >= effect.severity

    def _is_of_a_moving_relay(self, step: Step) -> bool:
        """Tell whether another account may publish to the topic from now on, where the relay moves."""
        return (
            step.type == _PUBLISHER
            and self._moves_to_a_pool
            and any(
                each.type == _PUBLISHER
                and each.op == "create"
                and all(each.new.get(name) == step.old.get(name) for name in ("topic", "role"))
                for each in self._plan.steps
            )
        )

    def _has_nothing_to_look_at(self, step: Step, effect: Effect) -> bool:
        """Tell whether all that an alert or a metric no longer looks at goes, or is restored elsewhere."""
        if step.op == "delete":
            names = alerting.names_in(dict(step.old))
            return bool(names) and names <= self._gone_names
        old = json.dumps(step.old.get("conditions"))
        for source, copy in _copies(self._plan).items():
            old = old.replace(source, copy)
        conditions = step.new.get("conditions")
        return effect == alerting.of_conditions(step.old.get("conditions"), conditions) and (
            alerting.of_conditions(json.loads(old), conditions, self._gone_names) == HARMLESS
        )


def moves_to_the_service(plan: Plan) -> bool:
    """Tell whether the relay leaves its worker pool for the service."""
    leaves = any(each.type == run.POOL and each.op == "delete" and relays(each.old) for each in plan.steps)
    return leaves and any(not relays(each.old) and relays(each.new) for each in _updated_services(plan))


def _moves_to_a_pool(plan: Plan) -> bool:
    pools = [each.new for each in plan.steps if each.type == run.POOL and each.op == "create"]
    return any(relays(each) and _has_instances(each) for each in pools) and any(
        relays(each.old) and not relays(each.new) for each in _updated_services(plan)
    )


def _has_instances(pool: Mapping[str, Any]) -> bool:
    """Tell whether a pool is sure to have an instance: without one it publishes nothing."""
    scaling = pool.get("scaling") or {}
    is_automatic = scaling.get("scalingMode") == "AUTOMATIC"
    count = scaling.get(
        "minInstanceCount" if is_automatic else "manualInstanceCount", 0 if is_automatic else 1
    )
    return isinstance(count, int | float) and count > 0


def _updated_services(plan: Plan) -> list[Step]:
    return [each for each in plan.steps if each.type == run.SERVICE and each.op == "update"]


def _copies(plan: Plan) -> dict[str, str]:
    """Return what a plan restores: the name of each instance, and of the one that begins as its copy."""
    made = [each.new for each in plan.steps if each.type == INSTANCE and each.op == "create"]
    pairs = (
        (each["clone"].get("sourceInstanceName"), each.get("name")) for each in made if each.get("clone")
    )
    return {str(source).rpartition("/")[2]: str(name) for source, name in pairs if source and name}


def _names(inputs: Mapping[str, object]) -> set[str]:
    """Return by what a filter may name a resource: an instance comes with its project."""
    name = inputs.get("name")
    return {str(name), f"{inputs.get('project')}:{name}"} if name else set()
