"""Read the resources of the engine's plan for the pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_SOURCE: Final = "project:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of a provider.

    Attributes:
        name: Its name in the program.
        type: Its type, as in `gcp:pubsub/topic:Topic`.
        component: The name of the outermost component that contains it; its own name without one.
        file: The file that declares it, relative to the folder of the program's `Pulumi.yaml`.
        inputs: The inputs that the program sets.
        origins: The names of the resources that an input comes from, by input.
        after: The names of all resources that it depends on.
    """

    name: str
    type: str
    component: str
    file: str
    inputs: Mapping[str, Any]
    origins: Mapping[str, tuple[str, ...]]
    after: frozenset[str]

    @property
    def kind(self) -> str:
        """The last part of the type, as in `Topic`."""
        return self.type.rpartition(":")[2]


def resources(states: Mapping[str, Mapping[str, Any]]) -> Sequence[Resource]:
    """Return the resources of a plan, sorted by name.

    Args:
        states: The planned states, including components, by name in the program.
    """
    return [
        Resource(
            name=name,
            type=state["type"],
            component=_outermost(name, states),
            file=state["sourcePosition"].removeprefix(_SOURCE).partition("#")[0],
            inputs=state["inputs"],
            origins={
                key: tuple(map(_name, urns))
                for key, urns in (state.get("propertyDependencies") or {}).items()
                if urns
            },
            after=frozenset(map(_name, state.get("dependencies") or ())),
        )
        for name, state in sorted(states.items())
        if state.get("custom") and not state["type"].startswith("pulumi:")
    ]


def _outermost(name: str, states: Mapping[str, Mapping[str, Any]]) -> str:
    while (parent := _name(states[name].get("parent") or "")) and parent in states:
        if states[parent]["type"].startswith("pulumi:"):
            break
        name = parent
    return name


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
