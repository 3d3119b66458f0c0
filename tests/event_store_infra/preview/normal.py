"""Plans of the engine without what no two runs have in common: times, random ids, places, and order.

What the engine does at once, or depends on at once, comes in any order.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

_OF_ONE_RUN: Final = frozenset({"created", "modified", "duration", "sourcePosition", "stackTrace"})
_UNORDERED: Final = frozenset({"dependencies", "replaceReasons", "diffReasons"})
_PROVIDER: Final = re.compile(r"(::pulumi:providers:[^:]+::[^:]+)::[0-9a-f-]{36}")


def normal(plan: dict[str, Any]) -> dict[str, Any]:
    """Return a plan as it is in every run, by whichever machine.

    Args:
        plan: The document that `pulumi preview --json` prints.
    """
    return {
        **_stripped(plan),
        **_sorted(plan, "steps", lambda each: (each["urn"], each["op"])),
        **_sorted(plan, "diagnostics", lambda each: json.dumps(each, sort_keys=True)),
    }


def _sorted(plan: dict[str, Any], name: str, key: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: sorted(map(_stripped, plan[name]), key=key)} if plan.get(name) else {}


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_order(key, _stripped(each)) for key, each in value.items() if key not in _OF_ONE_RUN}
    if isinstance(value, str):
        return _PROVIDER.sub(r"\1", value)
    return [_stripped(each) for each in value] if isinstance(value, list) else value


def _in_order(key: str, value: Any) -> Any:
    if key in _UNORDERED and value:
        return sorted(value)
    if key == "propertyDependencies" and value:
        return {name: sorted(urns or ()) for name, urns in value.items()}
    return value
