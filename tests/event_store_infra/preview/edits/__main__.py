"""Records the engine's plans of the edits: `python -m tests.event_store_infra.preview.edits --save [NAME…]`.

A name is of an edit, or of a stack for all of its edits.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.event_store_infra.preview.edits import BASES, EDITS
from tests.event_store_infra.preview.edits.edit import Base, Edit
from tests.event_store_infra.preview.edits.plans import FOLDER, keep, path_of
from tests.event_store_infra.preview.edits.recorder import standing


def main() -> int:
    """Record what is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.event_store_infra.preview.edits", description=__doc__
    )
    parser.add_argument("--save", action="store_true", required=True, help="write the plans")
    parser.add_argument("--missing", action="store_true", help="only those that no file has")
    parser.add_argument("names", nargs="*", help="of edits or stacks; all by default")
    arguments = parser.parse_args()
    if unknown := {*arguments.names} - {*BASES} - {each.name for each in EDITS}:
        parser.error(f"no edit and no stack is called {', '.join(sorted(unknown))}")
    for base in BASES.values():
        wanted = [
            each
            for each in EDITS
            if each.base == base.name
            and (not arguments.names or {base.name, each.name} & {*arguments.names})
            and not (arguments.missing and path_of(each).exists())
        ]
        if wanted:
            asyncio.run(_record(base, wanted))
    for path in {*FOLDER.rglob("*.gz")} - {path_of(each) for each in EDITS}:
        path.unlink()  # of an edit that is there no more
    return 0


async def _record(base: Base, edits: Sequence[Edit]) -> None:
    with tempfile.TemporaryDirectory(prefix="event-store-") as folder:
        async with standing(base, Path(folder)) as recorder:
            for edit in edits:
                started = time.monotonic()
                keep(edit, await recorder.plan(edit))
                sys.stdout.write(f"{base.name}: {edit.name} ({time.monotonic() - started:.1f} s)\n")
                sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
