"""What differs between the inputs of a resource as it stands and as the program wants it."""

from dataclasses import dataclass

from local_gcp.resource import Limits
from local_gcp.resource.properties import Path, Properties, dotted, leaves, pattern


@dataclass(frozen=True, slots=True)
class Change:
    """One property that differs.

    Attributes:
        path: Where, as in `retryPolicy.minimumBackoff`.
        kind: `ADD`, `DELETE` or `UPDATE`.
        replaces: Google makes a new resource for it.
    """

    path: str
    kind: str
    replaces: bool


def changes(limits: Limits, old: Properties, new: Properties) -> tuple[Change, ...]:
    """Compare inputs, both with Google's defaults filled in."""
    before, after = dict(leaves(old)), dict(leaves(new))
    found = {
        path: "ADD" if path not in before else "DELETE" if path not in after else "UPDATE"
        for path in {**before, **after}
        if path not in before or path not in after or before[path] != after[path]
    }
    # An object that gains its first property is no longer the empty leaf that it was.
    kept = {path: kind for path, kind in found.items() if not _is_emptied(path, kind, {*before, *after})}
    return tuple(
        Change(dotted(path), kind, limits.replaces(pattern(path), before.get(path), after.get(path)))
        for path, kind in sorted(kept.items(), key=str)
    )


def deletes_first(limits: Limits, old: Properties, new: Properties) -> bool:
    """Tell whether a replacement cannot stand beside what it replaces.

    The real provider knows that of resources that it makes names for, where the program gave the name. For
    the others Google refuses the second of the name, unless the program says `delete_before_replace`.
    """
    return bool(limits.autonamed) and old.get(limits.name) == new.get(limits.name)


def _is_emptied(path: Path, kind: str, paths: set[Path]) -> bool:
    return kind != "UPDATE" and any(len(each) > len(path) and each[: len(path)] == path for each in paths)
