"""Rows of a test: a change of one property, and the worst that its table must say of it."""

from dataclasses import dataclass

from event_store_infra.preview.effects import TABLES
from event_store_infra.preview.effects.effect import HARMLESS, Severity
from event_store_infra.preview.plan.plan import UNKNOWN
from tests.event_store_infra.preview.effects.judged import told_of, untried


@dataclass(frozen=True, slots=True)
class Row:
    """One change.

    Attributes:
        path: The property.
        old: Its value; None for none.
        new: What it would be; None for none.
        severity: The worst that this does.
        words: What the table says of it, or a part of that.
    """

    path: str
    old: object
    new: object
    severity: Severity
    words: str

    def __str__(self) -> str:
        return f"{self.path}: {self.old} -> {self.new}"


def check(kind: str, row: Row) -> None:
    """Check a row: there, back (which is harmless unless it has a row), and with a value known later only."""
    there = told_of(kind, row.path, row.old, row.new)
    later = told_of(kind, row.path, row.old, UNKNOWN)

    assert (there.severity, row.words in there.what) == (row.severity, True), there
    assert there.source.startswith("https://")
    assert bool(there.instead) or not there.severity.is_refused
    assert later.severity >= row.severity


def check_back(kind: str, row: Row, rows: list[Row]) -> None:
    """Check that the way back does nothing, unless it has a row of its own."""
    if not any((each.path, each.old, each.new) == (row.path, row.new, row.old) for each in rows):
        assert told_of(kind, row.path, row.new, row.old) == HARMLESS


def without_a_row(kind: str, rows: list[Row]) -> list[str]:
    """Return the properties and blocks of a table that do something and are in no row."""
    return [name for _, name in untried({kind: TABLES[kind]}, [(kind, row.path) for row in rows])]
