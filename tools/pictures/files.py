"""List which file of the program declares each resource."""

import posixpath
from collections.abc import Iterable, Sequence

from tools.pictures.resource import Resource


def files(plan: Iterable[Resource], folder: str = "", beside: Iterable[Resource] = ()) -> Sequence[str]:
    """Return the rows of the table, as lines of Markdown.

    Args:
        plan: The resources of the plan.
        folder: The folder of the program's `Pulumi.yaml`, relative to the repository, with a slash.
        beside: Resources of other plans; rows that repeat theirs are left out.
    """
    said = {_row(each) for each in beside}
    rows: dict[tuple[str, str, str], list[str]] = {}
    for each in plan:
        if _row(each) not in said:
            rows.setdefault(_row(each), []).append(each.name)
    lines = ["| component | resource | its name in the program | file |", "|---|---|---|---|"]
    for (component, kind, file), names in sorted(rows.items()):
        path = posixpath.normpath(f"{folder}{file}")
        listed = ", ".join(f"`{name}`" for name in names)
        lines.append(f"| {component} | `{kind}` | {listed} | [`{path}`](../../{path}) |")
    return lines


def _row(each: Resource) -> tuple[str, str, str]:
    return each.component, each.type, each.file
