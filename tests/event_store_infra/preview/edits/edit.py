"""An edit of a stack that stands, and what the preview guard is expected to say of the engine's plan."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Patch:
    """A change of the program: a text that occurs once in a file, and what stands there instead.

    Attributes:
        file: Relative to the program's package, as in `components/registry/registry.py`.
        old: The text.
        new: What replaces it.
    """

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Outside:
    """A change of a resource that was made outside of Pulumi.

    Attributes:
        type: As in `gcp:pubsub/topic:Topic`.
        ends: What its id ends with.
        changed: Its properties by path, with their new values, None for none; None deletes the resource.
    """

    type: str
    ends: str
    changed: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A stack that edits are made of.

    Attributes:
        name: Names the folder of its plans.
        stack: The name of the stack, whose file in this repository is its beginning.
        config: What differs from that file, by path, as in `database.generation`; None removes a key.
        topology: The topology's document.
        made: How it came to be, where that took more than one update: the config of each earlier one.
    """

    name: str
    stack: str
    config: Mapping[str, Any] = field(default_factory=dict)
    topology: Mapping[str, Any]
    made: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An edit, and the verdict that is right.

    Attributes:
        name: What it does, in words joined by hyphens.
        base: The name of the stack.
        config: Changes of the stack's file, by path; None removes a key.
        topology: Changes of the topology, by path, with names in place of indexes; None removes.
        program: Changes of the program.
        outside: Changes that were made outside of Pulumi.
        unprotected: The resources, by their names in the program, whose state somebody has unprotected.
        stack: The name of another stack that is previewed on the same project, which has no state.
        renamed: The stack's new name, which `pulumi stack rename` gave it; empty if it keeps its name.
        command: What the engine is asked for, as in `destroy --preview-only`.
        flags: More flags for it; `urn:NAME` stands for the URN of a resource of that name in the program.
        acknowledged: What the stack's file acknowledges.
        refused: The deeds that are refused, of an update with its properties, each with the resource's name.
        headline: How the summary's first line begins, after the stack's name.
        says: Words that the summary must have.
        omits: Words that it must not have.
        pending: Why the guard does not say all of this yet; empty if it does.
    """

    name: str
    base: str
    config: Mapping[str, Any] = field(default_factory=dict)
    topology: Mapping[str, Any] = field(default_factory=dict)
    program: tuple[Patch, ...] = ()
    outside: tuple[Outside, ...] = ()
    unprotected: tuple[str, ...] = ()
    stack: str = ""
    renamed: str = ""
    command: tuple[str, ...] = ("preview",)
    flags: tuple[str, ...] = ()
    acknowledged: Mapping[str, str] = field(default_factory=dict)

    headline: str
    refused: AbstractSet[tuple[str, str]] = frozenset()
    says: tuple[str, ...] = ()
    omits: tuple[str, ...] = ()
    pending: str = ""


# What is expected of an edit that costs nobody anything.
HARMLESS: Final[Mapping[str, Any]] = {"headline": "loses no data", "omits": ("less safe", "Less safe")}


def changed(document: Any, changes: Mapping[str, Any]) -> Any:
    """Return a copy of a document with changes.

    Args:
        document: Mappings and lists, as of YAML.
        changes: By path, as in `topics.words.labels`: a list's item is found by its `name` or its index, and
            a new one goes to the end. None removes.

    Raises:
        KeyError: What is to be removed, or a part of the path, is not there.
    """
    copy = _copied(document)
    for path, value in changes.items():
        *parents, last = path.split(".")
        target = copy
        for part in parents:
            if isinstance(target, dict) and part not in target:
                target[part] = {}
            target = target[_place(target, part)]
        place = _place(target, last)
        if value is None:
            del target[place]
        elif isinstance(target, list) and place == len(target):
            target.append({"name": last, **value})
        else:
            target[place] = _copied(value)
    return copy


def _place(target: Any, part: str) -> Any:
    if isinstance(target, dict):
        return part
    if part.isdecimal():
        return int(part)
    names = [each.get("name") if isinstance(each, dict) else each for each in target]
    return names.index(part) if part in names else len(names)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list | tuple) else value
