"""Drawings in Mermaid's language, which GitHub shows as pictures."""

from collections.abc import Sequence
from typing import Final

DATABASE: Final = ("[(", ")]")
PERSON: Final = ("([", "])")
QUEUE: Final = ("[[", "]]")
THING: Final = ("[", "]")


class Drawing:
    """A flow chart: nodes by name, and arrows between them, in the order in which they were added.

    Args:
        direction: `LR` or `TB`.
    """

    def __init__(self, direction: str) -> None:
        self._lines = [f"flowchart {direction}"]
        self._ids: dict[str, str] = {}

    def node(self, name: str, *words: str, shape: tuple[str, str] = THING) -> str:
        """Add a node unless there is one of the name, and return the name.

        Args:
            name: Says which it is.
            words: What stands in it, line by line; the name by default.
            shape: What it is, as in `DATABASE`.
        """
        if name not in self._ids:
            self._ids[name] = f"n{len(self._ids)}"
            opening, closing = shape
            self._lines.append(f"  {self._ids[name]}{opening}{_text(words or (name,))}{closing}")
        return name

    def arrow(self, source: str, target: str, *words: str, dotted: bool = False) -> None:
        """Add an arrow between two nodes, unless it is there, with words on it line by line."""
        line = "-.->" if dotted else "-->"
        label = f"|{_text(words)}|" if words else ""
        arrow = f"  {self._ids[source]} {line}{label} {self._ids[target]}"
        if arrow not in self._lines:
            self._lines.append(arrow)

    def __str__(self) -> str:
        """Return the block of Markdown."""
        return "\n".join(["```mermaid", *self._lines, "```"])


def _text(words: Sequence[str]) -> str:
    escaped = (word.replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;") for word in words)
    return f'"{"<br>".join(escaped)}"'
