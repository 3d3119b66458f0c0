"""Walk over the versions of an aggregate or the positions of the log, page by page, and detect holes.

The numbers are consecutive by construction, and each page is one snapshot with the head of the log. So a
missing row is not a late row: the log is corrupted.
"""

import logging
from dataclasses import dataclass
from typing import LiteralString

from event_store.errors import LogCorruptedError
from event_store.log.page import PAGE_EVENTS, POSITION, VERSION, Page

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Walk:
    """The progress of a read.

    Attributes:
        query: The statement; its parameters are `key`, the next number, and the page's events and bytes.
        key: The id of the aggregate; empty for the log.
        step: 1 for forwards, -1 for backwards.
        following: The number of the next event, a version or a position. A read backwards from the end learns
            it from its first page; until then it is too high.
        remaining: The number of events left to read.
        last: The last position to read, known from the first page; None for an aggregate.
        is_first: Whether no page was read yet.
        is_over: Whether the read is complete.
    """

    query: LiteralString
    key: tuple[str, ...]
    step: int
    following: int
    remaining: int
    last: int | None = None
    is_first: bool = True
    is_over: bool = False

    @property
    def size(self) -> int:
        """The highest number of events in the next page."""
        size = min(self.remaining, PAGE_EVENTS)
        return size if self.last is None or self.step < 0 else min(size, self.last - self.following + 1)

    def take(self, page: Page) -> None:
        """Check the events of a page and step past them.

        Raises:
            LogCorruptedError: An event is missing before, between or after them.
        """
        size = self.size
        if self.is_first:
            self._settle(page)
        for row in page.rows:
            number = row[VERSION] if self.key else row[POSITION]
            if number != self.following:
                raise self._corrupted()
            self.following += self.step
        self.remaining -= len(page.rows)
        if self.step < 0:
            self.is_over = self.following < 1
        elif self.last is not None:
            self.is_over = self.following > self.last
        else:
            self.is_over = len(page.rows) < size and not page.has_more
        if not page.rows and not self.is_over:
            raise self._corrupted()
        self.is_over |= self.remaining == 0

    def _settle(self, page: Page) -> None:
        self.is_first = False
        if not self.key:
            self.last = page.head_position
        if self.step < 0:
            end = page.head_position if not self.key else page.rows[0][VERSION] if page.rows else 0
            self.following = min(self.following, end)

    def _corrupted(self) -> LogCorruptedError:
        number = f"position {self.following} of the log"
        what = f"version {self.following} of aggregate {self.key[0]}" if self.key else number
        logger.critical("the log is corrupted: %s is missing", what)
        return LogCorruptedError(
            f"the log is corrupted: {what} is missing, so another program has changed the tables: "
            "stop appends and restore the database"
        )
