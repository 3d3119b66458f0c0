"""Differences between the recorded inputs of a resource and those that the program wants."""

from dataclasses import dataclass

from local_gcp.resource import Limits
from local_gcp.resource.properties import Path, Properties, dotted, leaves, pattern


@dataclass(frozen=True, slots=True)
class Change:
    """A property that differs.

    Attributes:
        path: The property's path, as in `retryPolicy.minimumBackoff`.
        kind: `ADD`, `DELETE` or `UPDATE`.
        replaces: Whether the change needs a new resource.
    """

    path: str
    kind: str
    replaces: bool


def changes(limits: Limits, old: Properties, new: Properties) -> tuple[Change, ...]:
    """Return the differences between two inputs that have Google's defaults filled in."""
    before, after = dict(leaves(old)), dict(leaves(new))
    found = {
        path: "ADD" if path not in before else "DELETE" if path not in after else "UPDATE"
        for path in {**before, **after}
        if path not in before or path not in after or before[path] != after[path]
    }
    # An object that gains its first property is no longer an empty leaf.
    kept = {path: kind for path, kind in found.items() if not _is_emptied(path, kind, {*before, *after})}
    return tuple(
        Change(dotted(path), kind, limits.replaces(pattern(path), before.get(path), after.get(path)))
        for path, kind in sorted(kept.items(), key=str)
    )


def deletes_first(limits: Limits, old: Properties, new: Properties) -> bool:
    """Tell whether the old resource has to be deleted before its replacement is created.

    The real provider deletes first where it can generate names, but the program gave this one. For other
    types Google rejects the second resource of a name, unless the program sets `delete_before_replace`.
    """
    return bool(limits.autonamed) and old.get(limits.name) == new.get(limits.name)


def _is_emptied(path: Path, kind: str, paths: set[Path]) -> bool:
    return kind != "UPDATE" and any(len(each) > len(path) and each[: len(path)] == path for each in paths)
