"""Filters of log entries, in Cloud Logging's query language.

https://cloud.google.com/logging/docs/view/logging-query-language
"""

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

_NUMBER: Final = r"-?\d+(?:\.\d+)?"
_COMPARISON: Final = re.compile(
    rf'([A-Za-z_]+(?:\.\w+)*)\s*(?:(!=|=)\s*("[^"]*"|{_NUMBER})|(>=|<=|>|<)\s*({_NUMBER}))'
)
_ORDERS: Final = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


@dataclass(frozen=True, slots=True)
class LogFilter:
    """A filter of log entries, which must match all comparisons.

    Attributes:
        comparisons: A field such as `resource.type` or `jsonPayload.seconds`, an operator and a value each.
    """

    comparisons: tuple[tuple[str, str, str | float], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a filter.

        Raises:
            ValueError: The filter is more than comparisons of fields with texts and numbers, joined by AND.
        """
        comparisons: list[tuple[str, str, str | float]] = []
        for part in re.split(r"\s+AND\s+", text.strip()):
            match = _COMPARISON.fullmatch(part)
            if match is None:
                raise ValueError(f"cannot read {part!r}: use FIELD >= VALUE, joined by AND")
            name, sign, value = (each for each in match.groups() if each is not None)
            comparisons.append((name, sign, value[1:-1] if value.startswith('"') else float(value)))
        return cls(tuple(comparisons))

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that the filter compares."""
        return tuple(name for name, _, _ in self.comparisons)

    def value_of(self, name: str) -> str:
        """Return the text that a field must equal; empty if the filter does not say."""
        return next((str(value) for each, sign, value in self.comparisons if (each, sign) == (name, "=")), "")

    def matches(self, entry: Mapping[str, Any]) -> bool:
        """Tell whether the filter selects an entry; one without a compared field is not selected."""
        return all(_holds(field_of(entry, name), sign, value) for name, sign, value in self.comparisons)


def field_of(entry: Mapping[str, Any], name: str) -> Any:
    """Return a field of an entry, as in `jsonPayload.seconds`; None if it is missing."""
    value: Any = entry
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _holds(found: Any, sign: str, value: str | float) -> bool:
    if found is None or isinstance(found, str) != isinstance(value, str):
        return False
    if sign in {"=", "!="}:
        return bool(found == value) == (sign == "=")
    return bool(_ORDERS[sign](found, value))
