"""Where a property is, as the engine writes it: `settings.databaseFlags[0].value`, `labels["a.b"]`."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

Path = tuple[str | int, ...]
BLINDED: Final = "[secret]"  # what the engine shows in place of a secret, which may differ behind it

_PART: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[]+)')
_PLAIN: Final = re.compile(r"[^.\[\]\"]+")


def parsed(text: str) -> Path:
    """Return the names and indexes of a path."""
    return tuple(
        int(index) if index else json.loads(f'"{quoted}"') if quoted else name
        for quoted, index, name in _PART.findall(text)
    )


def dotted(path: Path) -> str:
    """Return the text of a path."""
    parts = (
        f"[{each}]"
        if isinstance(each, int)
        else f".{each}"
        if _PLAIN.fullmatch(each)
        else f"[{json.dumps(each)}]"
        for each in path
    )
    return "".join(parts).removeprefix(".")


def pattern(path: Path) -> str:
    """Return a path without its indexes, as the tables of the effects name it."""
    return ".".join(each for each in path if isinstance(each, str))


def at(value: Any, path: Path) -> Any:
    """Return what stands at a path, or None; of what is within a secret, that it is one."""
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        elif value == BLINDED:
            return value
        else:
            return None
    return value
