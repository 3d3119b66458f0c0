"""Plans of the engine without what no two runs have in common: times, random ids, places of a machine."""

import re
from typing import Any, Final

_OF_ONE_RUN: Final = frozenset({"created", "modified", "duration", "sourcePosition", "stackTrace"})
_PROVIDER: Final = re.compile(r"(::pulumi:providers:[^:]+::[^:]+)::[0-9a-f-]{36}")


def normal(plan: dict[str, Any]) -> dict[str, Any]:
    """Return a plan as it is in every run, by whichever machine.

    Args:
        plan: The document that `pulumi preview --json` prints.
    """
    # What the engine does at once comes in any order.
    steps = sorted(plan.get("steps") or (), key=lambda each: (each["urn"], each["op"]))
    normal_plan: dict[str, Any] = _stripped({**plan, "steps": steps})
    return normal_plan


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stripped(each) for key, each in value.items() if key not in _OF_ONE_RUN}
    if isinstance(value, str):
        return _PROVIDER.sub(r"\1", value)
    return [_stripped(each) for each in value] if isinstance(value, list) else value
