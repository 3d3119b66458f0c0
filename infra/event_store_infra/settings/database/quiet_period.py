"""The days without maintenance of the database."""

from datetime import date, timedelta
from typing import Final

from event_store.errors import ConfigurationError

# Of one year: a period of each year is a change in every preview, since the provider does not know again what
# Google makes of it (https://github.com/hashicorp/terraform-provider-google/issues/29169).
DAY: Final = r"|\d{4}-(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01])"
LONGEST_DAYS: Final = 90  # https://cloud.google.com/sql/docs/postgres/maintenance


def check_quiet_period(path: str, start: str, end: str) -> None:
    """Reject a period that Google rejects. Both days belong to it; two empty texts are no period.

    Raises:
        ConfigurationError: A day is missing or does not exist, or the period is too long.
    """
    if not start and not end:
        return
    if not (start and end):
        raise ConfigurationError(f"{path}_start and {path}_end belong together: set both or neither")
    first, last = _day(f"{path}_start", start), _day(f"{path}_end", end)
    days = (last - first) // timedelta(days=1) + 1
    if not 1 <= days <= LONGEST_DAYS:
        raise ConfigurationError(
            f"{path}_start {start} to {path}_end {end} are {days} days, but must be 1 to {LONGEST_DAYS}"
        )


def as_google_has_it(day: str) -> str:
    """Return a day without leading zeros, as Google returns it; any other form changes in every preview.

    Source: https://github.com/GoogleCloudPlatform/magic-modules/pull/11277, and the provider's own test.
    """
    return "-".join(str(int(part)) for part in day.split("-"))


def _day(path: str, text: str) -> date:
    try:
        return date(*map(int, text.split("-")))
    except ValueError:
        raise ConfigurationError(f"{path} is {text!r}, but there is no such day") from None
