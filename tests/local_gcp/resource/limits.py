"""Every limit of the local Google Cloud, a line for each property.

`python -m tests.local_gcp.resource.limits` prints it, and `limits.txt` beside this keeps it, so
that a limit that was loosened or left out is a diff for a reviewer.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final

import local_gcp
from local_gcp.resource import Limits
from local_gcp.resource.field import Field

FILE: Final = Path(__file__).with_name("limits.txt")


def render() -> str:
    """Return the limits of every type, in the order of their names."""
    return "".join(
        f"{line}\n" for each in sorted(all_limits(), key=lambda limits: limits.type) for line in _lines(each)
    )


def all_limits() -> Iterator[Limits]:
    """Yield the limits of every type once."""
    seen = set()
    modules = pkgutil.walk_packages(local_gcp.__path__, "local_gcp.")
    for name in sorted(each.name for each in modules if not each.name.endswith("__main__")):
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, Limits) and value.type not in seen:
                seen.add(value.type)
                yield value


def _lines(limits: Limits) -> Iterator[str]:
    named = f", named by Pulumi up to {limits.autonamed}" * bool(limits.autonamed)
    yield f"{limits.type} (by {limits.name}{named})"
    yield from (f"    {path}: {_field(field)}" for path, field in sorted(limits.fields.items()))
    yield from (f"    at most one of {', '.join(group)}" for group in limits.exclusive)
    yield from (f"    rule {rule.__qualname__}" for rule in limits.rules)


def _field(field: Field) -> str:
    told = [
        f"{each.name}={value!r}"
        for each in fields(field)
        if (value := getattr(field, each.name)) is not None and (value is not False or each.name == "default")
    ]
    return f"{type(field).__name__}({', '.join(told)})"


if __name__ == "__main__":
    sys.stdout.write(render())
