"""The limits of one resource type: a table of its properties, and the check of inputs against it."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from local_gcp.resource.field import Field
from local_gcp.resource.properties import Path, Properties, dotted, is_known
from local_gcp.resource.sdk_schema import schema_of

Rule = Callable[[Properties], Iterator[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Failure:
    """One problem of a resource's inputs.

    Attributes:
        path: The property, as in `template.containers[0].image`.
        reason: What is wrong, and what is allowed.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Google's checks and defaults for one resource type, in addition to those of the SDK's types.

    Attributes:
        type: Pulumi's name, as in `gcp:pubsub/topic:Topic`.
        fields: By path, with `[]` for any item of a list: `template.containers[].image`.
        exclusive: Groups of properties of which at most one may be given.
        rules: Checks of several properties together; each yields a path and what is wrong.
        name: The property that holds the resource's name in Google Cloud.
        autonamed: The longest name that Pulumi generates if the program gives none; 0 if it generates none.
    """

    type: str
    fields: Mapping[str, Field]
    exclusive: tuple[tuple[str, ...], ...] = ()
    rules: tuple[Rule, ...] = ()
    name: str = "name"
    autonamed: int = 0

    def check(self, given: Properties) -> tuple[Properties, list[Failure]]:
        """Return the inputs with Google's defaults, and all problems with them.

        Args:
            given: The inputs. Values that a preview cannot know are left for the update to check.
        """
        inputs = deepcopy(given)
        for path, field in self.fields.items():
            if field.default is not None:
                for holder, key, _ in _places(inputs, path):
                    holder.setdefault(key, deepcopy(field.default))
        failures = [Failure(dotted(path), reason) for path, reason in schema_of(self.type).problems(inputs)]
        if not failures:  # else the tables could not rely on the values' types
            failures = [*self._field_failures(inputs), *self._exclusive_failures(inputs)]
        if not failures:
            failures = [Failure(*each) for rule in self.rules for each in rule(inputs)]
        return inputs, failures

    def replaces(self, pattern: str, old: Any, new: Any) -> bool:
        """Tell whether a change of a property needs a new resource.

        Args:
            pattern: The property's path, as in `labels.team` and `containers[].image`.
            old: The recorded value; None if there is none.
            new: The wanted value; None if there is none.
        """
        return any(
            field.replaces(old, new)
            if pattern == path
            else field.immutable and pattern.startswith((f"{path}.", f"{path}["))
            for path, field in self.fields.items()
        )

    def _field_failures(self, inputs: Properties) -> Iterator[Failure]:
        for path, field in self.fields.items():
            for holder, key, place in _places(inputs, path):
                if key not in holder:
                    if field.required:
                        yield Failure(dotted(place), "is required")
                elif is_known(holder[key]) and (reason := field.problem(holder[key])):
                    yield Failure(dotted(place), reason)

    def _exclusive_failures(self, inputs: Properties) -> Iterator[Failure]:
        for group in self.exclusive:
            present = [name for name in group if name in inputs]
            for name in present[1:]:
                yield Failure(name, f"conflicts with {present[0]}: give one of {', '.join(group)}")


def _places(inputs: Properties, path: str) -> Iterator[tuple[dict[str, Any], str, Path]]:
    """Yield each object that can hold the last property of a path, with the property's name and place."""
    *parents, key = path.split(".")
    holders: list[tuple[Any, Path]] = [(inputs, ())]
    for name in parents:
        inner = name.removesuffix("[]")
        found = [(holder[inner], (*place, inner)) for holder, place in holders if inner in holder]
        if name.endswith("[]"):
            found = [
                (item, (*place, index))
                for items, place in found
                if isinstance(items, list)
                for index, item in enumerate(items)
            ]
        holders = [(value, place) for value, place in found if isinstance(value, dict)]
    for holder, place in holders:
        yield holder, key, (*place, key)
