"""Edits of stacks that stand: each with the engine's plan, in tests/preview/plans, and the right verdict.

`make plans` makes the plans anew. An edit is a line of a table here: what is changed, and what the guard is
expected to say.
"""

from typing import Final

from tests.preview.edits import bus
from tests.preview.edits.bases import BASES
from tests.preview.edits.edit import Edit

EDITS: Final[tuple[Edit, ...]] = (*bus.EDITS,)

__all__ = ["BASES", "EDITS"]
