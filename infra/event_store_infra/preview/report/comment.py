"""One text of the summaries of all stacks: what is refused comes first, whatever else there is."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from event_store_infra.preview.markdown import code
from event_store_infra.preview.report.summary import LONGEST, shortened

_HEADING: Final = "# What `pulumi up` would do\n\n"
_WORST_FIRST: Final = (
    "refused",
    "the preview failed",
    "loses data",
    "cannot be taken back",
    "compared with nothing",
    "loses no data, but stops",
    "loses no data, but",
)
# The stack's name is one piece of code, in which there is no backtick.
_FIRST_LINE: Final = re.compile(r"## `[^`\n]*`: (.*)")


def join(summaries: Mapping[str, str], stacks: Sequence[str] = (), longest: int = LONGEST) -> str:
    """Return the text of the comment on a pull request, or of the issue about drift.

    Args:
        summaries: The summary of each stack, by its name.
        stacks: All stacks that were to be previewed: one without a summary counts as failed.
        longest: The most characters; each stack gets its share of them, and more where others need less.
    """
    missing = [each for each in stacks if not summaries.get(each, "").strip()]
    failed = {
        each: f"## {code(each)}: the preview failed\n\nIts job ended without a summary: see its log.\n"
        for each in missing
    }
    texts = sorted({**summaries, **failed}.items(), key=lambda each: (_rank(each[1]), each[0]))
    left, parts = longest - len(_HEADING) - len(texts), []
    for number, (_, text) in enumerate(texts):
        parts.append(shortened(text, left // (len(texts) - number)))
        left -= len(parts[-1])
    return _HEADING + "\n".join(parts)


def _rank(summary: str) -> int:
    """Return how early a summary comes, by what its first line says after the stack's name."""
    found = _FIRST_LINE.match(summary)
    outcome = found[1] if found else "the preview failed"
    return next(
        (rank for rank, each in enumerate(_WORST_FIRST) if outcome.startswith(each)), len(_WORST_FIRST)
    )
