"""Text of others in Markdown: a name, a value or an error stays one piece of code in its line.

In code GitHub knows neither Markdown nor HTML nor mentions. No line begins with text of others, so that none
is a command of the workflow's runner, which begins with `::`.
"""

from typing import Final

_LONGEST: Final = 2_000  # characters of one piece


def code(text: str, longest: int = _LONGEST) -> str:
    """Return a text of others as inline code.

    Args:
        text: The text.
        longest: More characters than this are cut, 1 or more.
    """
    line = one_line(text).replace("`", "'")
    return f"`{line if len(line) <= longest else line[: longest - 1] + '…'}`" if line else "` `"


def one_line(text: str) -> str:
    """Return a text on one line, with what cannot be seen escaped, as a change of direction."""
    seen = (
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in " ".join(text.split())
    )
    return "".join(seen)
