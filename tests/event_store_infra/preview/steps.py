"""Steps of a plan as the engine prints them, and plans of such steps."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from event_store_infra.preview.plan.plan import Plan


def urn_of(kind: str, name: str) -> str:
    """Return the URN of a resource."""
    return f"urn:pulumi:prod::event-store::{kind}::{name}"


def step_of(
    op: str,
    kind: str,
    name: str = "words",
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    **state: object,
) -> dict[str, Any]:
    """Return a step.

    Args:
        op: The engine's operation.
        kind: The type of the resource.
        name: Its name, which is its id, too.
        old: The inputs that stand; None for a resource that does not.
        new: The inputs of the program; those that stand if None. A deletion has none.
        state: More of what stands.
    """
    standing = {"custom": True, "type": kind, "id": name, "inputs": old, "outputs": old, **state}
    planned = {"custom": True, "type": kind, "inputs": old if new is None else new}
    return {
        "op": op,
        "urn": urn_of(kind, name),
        **({} if old is None else {"oldState": standing}),
        **({} if op == "delete" else {"newState": planned}),
    }


def text_of(*steps: Mapping[str, Any], **more: object) -> str:
    """Return what `pulumi preview --json` prints of steps, beside one resource that stays as it is."""
    counts = {"same": 1, **Counter(each["op"] for each in steps)}
    return json.dumps({"config": {}, "steps": steps, "changeSummary": counts, **more})


def plan_of(*steps: Mapping[str, Any], **more: object) -> Plan:
    """Return the plan of steps."""
    return Plan.parse(text_of(*steps, **more))
