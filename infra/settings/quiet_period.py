"""The days on which Google does not maintain the database."""

from datetime import date, timedelta
from typing import Final

from event_store.errors import ConfigurationError

# A date of one year, or of each year; both ends are days of the period.
DAY: Final = r"|(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
LONGEST_DAYS: Final = 90  # https://cloud.google.com/sql/docs/postgres/maintenance
_ANY_YEAR: Final = 2023  # not a leap year: Google's February has 28 days where no year is said
_WITHOUT_YEAR: Final = len("12-24")


def check_quiet_period(path: str, start: str, end: str) -> None:
    """Refuse a period that Google refuses; two empty texts are none.

    Raises:
        ConfigurationError: One end is missing or is no day, only one has a year, or it is too long.
    """
    if not start and not end:
        return
    if not (start and end):
        raise ConfigurationError(f"{path}_start and {path}_end belong together: set both or neither")
    if len(start) != len(end):
        raise ConfigurationError(
            f"{path}_start is {start!r} and {path}_end is {end!r}: give both a year, or neither"
        )
    first, last = _day(f"{path}_start", start), _day(f"{path}_end", end)
    if last < first and len(start) == _WITHOUT_YEAR:
        last = last.replace(year=last.year + 1)
    days = (last - first) // timedelta(days=1) + 1
    if not 1 <= days <= LONGEST_DAYS:
        raise ConfigurationError(
            f"{path}_start {start} to {path}_end {end} are {days} days, but must be 1 to {LONGEST_DAYS}"
        )


def _day(path: str, text: str) -> date:
    try:
        return date.fromisoformat(text if len(text) > _WITHOUT_YEAR else f"{_ANY_YEAR}-{text}")
    except ValueError:
        raise ConfigurationError(f"{path} is {text!r}, but there is no such day") from None
