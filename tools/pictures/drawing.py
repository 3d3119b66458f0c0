"""Draw Mermaid flow charts, which GitHub renders."""

from collections.abc import Sequence
from typing import Final

DATABASE: Final = ("[(", ")]")
PERSON: Final = ("([", "])")
QUEUE: Final = ("[[", "]]")
THING: Final = ("[", "]")


class Drawing:
    """A flow chart: nodes by name, and arrows between them, in the order of insertion.

    Args:
        direction: `LR` or `TB`.
    """

    def __init__(self, direction: str) -> None:
        self._lines = [f"flowchart {direction}"]
        self._ids: dict[str, str] = {}

    def node(self, name: str, *words: str, shape: tuple[str, str] = THING) -> str:
        """Add a node, unless the name exists, and return the name.

        Args:
            name: The node's identifier.
            words: The lines of its label; the name by default.
            shape: The shape, as in `DATABASE`.
        """
        if name not in self._ids:
            self._ids[name] = f"n{len(self._ids)}"
            opening, closing = shape
            self._lines.append(f"  {self._ids[name]}{opening}{_text(words or (name,))}{closing}")
        return name

    def arrow(self, source: str, target: str, *words: str, dotted: bool = False) -> None:
        """Add an arrow between two nodes, unless it exists; `words` are the lines of its label."""
        line = "-.->" if dotted else "-->"
        label = f"|{_text(words)}|" if words else ""
        arrow = f"  {self._ids[source]} {line}{label} {self._ids[target]}"
        if arrow not in self._lines:
            self._lines.append(arrow)

    def __str__(self) -> str:
        """Return the chart as a block of Markdown."""
        return "\n".join(["```mermaid", *self._lines, "```"])


def _text(words: Sequence[str]) -> str:
    escaped = (word.replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;") for word in words)
    return f'"{"<br>".join(escaped)}"'
