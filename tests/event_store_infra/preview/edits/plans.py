"""The engine's plans of the edits, kept as files: one for each, compressed, and the same whoever makes it."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import Edit

FOLDER: Final = Path(__file__).parents[1] / "plans"


def path_of(edit: Edit) -> Path:
    """Return the file of an edit's plan."""
    return FOLDER / edit.base / f"{edit.name}.json.gz"


def keep(edit: Edit, plan: Mapping[str, Any]) -> None:
    """Write the normal plan of an edit."""
    text = json.dumps(plan, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    path_of(edit).parent.mkdir(parents=True, exist_ok=True)
    path_of(edit).write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def kept(edit: Edit) -> str:
    """Return the normal plan of an edit, as JSON.

    Raises:
        FileNotFoundError: It was not recorded.
    """
    return gzip.decompress(path_of(edit).read_bytes()).decode()
