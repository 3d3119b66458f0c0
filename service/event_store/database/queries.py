"""Load SQL from a file of its own, each statement by its name."""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString, cast


def load_queries(package: str, file: str = "queries.sql") -> Mapping[str, LiteralString]:
    """Return the statements of a file by name; each begins with a line `-- name: NAME`.

    Args:
        package: The package that the file is part of.
        file: Its name there.
    """
    text = (files(package) / file).read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)[1:]
    return MappingProxyType(
        # The file is part of the package: as literal as a string in the code.
        {
            name: cast("LiteralString", query.strip())
            for name, query in zip(parts[::2], parts[1::2], strict=True)
        }
    )
