"""Edits of stacks that stand: each with the engine's plan, in tests/preview/plans, and the right verdict.

`make plans` makes the plans anew. An edit is a line of a table here: what is changed, and what the guard is
expected to say.
"""

from typing import Final

from tests.preview.edits import (
    acknowledged,
    alloydb,
    bus,
    flags,
    generations,
    program,
    properties,
    protected,
    small,
    stack,
)
from tests.preview.edits.bases import BASES
from tests.preview.edits.edit import Edit

EDITS: Final[tuple[Edit, ...]] = (
    *protected.EDITS,
    *bus.EDITS,
    *stack.EDITS,
    *program.EDITS,
    *properties.EDITS,
    *acknowledged.EDITS,
    *flags.EDITS,
    *alloydb.EDITS,
    *generations.EDITS,
    *small.EDITS,
)

__all__ = ["BASES", "EDITS"]
