"""Paginate list responses."""

from collections.abc import Iterable
from typing import Any

from pubsub_emulator.errors import InvalidArgumentError

PAGE_SIZE = 100
PAGE_SIZE_MAXIMUM = 1_000


def page(names: Iterable[str], request: Any) -> tuple[list[str], str]:
    """Return one page of names in sorted order, and the token of the next page.

    Raises:
        InvalidArgumentError: The page size is negative.
    """
    if request.page_size < 0:
        raise InvalidArgumentError(f"Invalid page_size (value={request.page_size}): it must not be negative.")
    size = min(request.page_size or PAGE_SIZE, PAGE_SIZE_MAXIMUM)
    # The token is the last name of the page before, so no page skips or repeats a name that remains.
    rest = sorted(name for name in names if name > request.page_token)
    return rest[:size], rest[size - 1] if len(rest) > size else ""
