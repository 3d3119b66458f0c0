"""Plans of the engine that update one property of a resource, or make one."""

import json
from collections.abc import Mapping
from typing import Any

from event_store_infra.preview.plan.paths import parsed
from event_store_infra.preview.plan.plan import Plan


def changed(kind: str, path: str, old: object, new: object, **others: object) -> Plan:
    """Return a plan that updates a property.

    Args:
        kind: The type of the resource, which is called `words`.
        path: The property, as the engine writes it.
        old: Its value; None for none.
        new: What it would be; None for none.
        others: More inputs, which stay as they are.
    """
    inputs = ({**others, **_nested(path, value)} for value in (old, new))
    return _plan(kind, *inputs, detailedDiff={path: {"kind": "update", "inputDiff": True}})


def updated(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Plan:
    """Return a plan that updates a resource, which is called `words`, without saying which properties."""
    return _plan(kind, old, new)


def made(kind: str, inputs: dict[str, Any]) -> Plan:
    """Return a plan that makes a resource, which is called `words`."""
    urn = f"urn:pulumi:prod::event-store::{kind}::words"
    step = {"op": "create", "urn": urn, "newState": _state(kind, inputs)}
    return Plan.parse(json.dumps({"config": {}, "steps": [step], "changeSummary": {"same": 1, "create": 1}}))


def _plan(kind: str, old: Mapping[str, Any], new: Mapping[str, Any], **more: object) -> Plan:
    step = {
        "op": "update",
        "urn": f"urn:pulumi:prod::event-store::{kind}::words",
        "oldState": _state(kind, old),
        "newState": _state(kind, new),
        **more,
    }
    return Plan.parse(json.dumps({"config": {}, "steps": [step], "changeSummary": {"same": 1, "update": 1}}))


def _state(kind: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"custom": True, "type": kind, "id": "words", "inputs": inputs, "outputs": inputs}


def _nested(path: str, value: object) -> dict[str, Any]:
    made: Any = value
    for part in reversed(parsed(path)):
        made = [made] if isinstance(part, int) else {part: made} if made is not None else {}
    return dict(made)
