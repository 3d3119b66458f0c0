"""What a stack consists of, as one readable YAML file per stack: every resource with its inputs and options.

`python -m tests.event_store_infra.inventory --save` writes the files anew; their diff is what a reviewer
reads. Those of `others/` are of stacks that ask for what none of ours does, and have only what is not the
same there; and of the bootstrap.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).resolve().parent
VARIANT_FOLDER: Final = FOLDER / "others"
STACKS: Final = ("local", "dev", "staging", "prod")
_UNKNOWN: Final = (
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's mark of a value that a preview cannot know
)
_OPTIONS: Final = ("protect", "ignoreChanges", "customTimeouts", "retainOnDelete", "deletedWith")


def render(states: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the YAML of the resources of a preview, given by their names."""
    custom = {name: state for name, state in states.items() if state.get("custom")}
    groups = _groups(states)
    inventory = {
        "counts": dict(sorted(Counter(state["type"] for state in custom.values()).items())),
        "resources": {name: _resource(state, groups) for name, state in sorted(custom.items())},
    }
    return yaml.safe_dump(inventory, sort_keys=False, width=110, allow_unicode=True)


def render_difference(
    states: Mapping[str, Mapping[str, Any]], others: Mapping[str, Mapping[str, Any]]
) -> str:
    """Return the YAML of what the other states lack or have in another way, and of what is gone."""
    own, other = (yaml.safe_load(render(each))["resources"] for each in (states, others))
    difference = {
        "gone": sorted(other.keys() - own.keys()),
        "resources": {name: each for name, each in own.items() if other.get(name) != each},
    }
    return yaml.safe_dump(difference, sort_keys=False, width=110, allow_unicode=True)


def _name(urn: str) -> str:
    return urn.rsplit("::", maxsplit=1)[-1]


def _groups(states: Mapping[str, Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """Return what is inside of each component, directly or not."""
    inside: dict[str, set[str]] = {}
    for name, state in states.items():
        if not state.get("custom"):
            continue
        parent = state.get("parent")
        while parent and not states[_name(parent)]["type"].startswith("pulumi:"):
            inside.setdefault(_name(parent), set()).add(name)
            parent = states[_name(parent)].get("parent")
    return {name: frozenset(each) for name, each in inside.items()}


def _resource(state: Mapping[str, Any], groups: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    origins = state.get("propertyDependencies", {})
    resource = {
        "type": state["type"],
        "in": _name(state["parent"]),
        "inputs": {
            key: _known(value, [_name(urn) for urn in origins.get(key, [])])
            for key, value in sorted(state["inputs"].items())
        },
        "after": _after({_name(urn) for urn in state.get("dependencies", [])}, groups),
    }
    options = {key: state[key] for key in _OPTIONS if state.get(key)}
    return resource | ({"options": options} if options else {})


def _known(value: Any, origins: list[str]) -> Any:
    """Replace what only the creation will tell by where it comes from."""
    if isinstance(value, dict):
        return {key: _known(each, origins) for key, each in sorted(value.items())}
    if isinstance(value, list):
        return [_known(each, origins) for each in value]
    if value == _UNKNOWN:
        return f"(from {origins[0]})" if len(origins) == 1 else "(known after creation)"
    return value


def _after(names: set[str], groups: Mapping[str, frozenset[str]]) -> list[str]:
    """Name a whole component where the resource waits for everything in it."""
    whole = {group: inside for group, inside in groups.items() if inside <= names}
    grouped = frozenset[str]().union(*whole.values())
    outermost = {
        group for group, inside in whole.items() if not any(inside < other for other in whole.values())
    }
    return sorted(outermost | (names - grouped))
