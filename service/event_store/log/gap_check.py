"""Walks over numbers without holes, the versions of an aggregate or the positions of the log, page by page.

They are consecutive by construction, and each page is one snapshot with the head of the log in it. So a
missing row is not a row to wait for: it is a corrupted log, and an alarm.
"""

import logging
from dataclasses import dataclass
from typing import LiteralString

from event_store.errors import LogCorruptedError
from event_store.log.page import PAGE_EVENTS, POSITION, VERSION, Page

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Walk:
    """Where a read stands.

    Attributes:
        query: Takes `key`, the following number, the page's events and its bytes.
        key: The aggregate's id; nothing for the log.
        step: 1 or -1.
        following: The number of the next event, a version or a position. A read down from the end learns it
            with its first page; until then it is too high.
        remaining: How many events may still be read.
        last: The last position to read, known from the first page; of an aggregate none.
        is_first: No page was read yet.
        is_over: There is nothing more to read.
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
        """How many events the next page may have."""
        size = min(self.remaining, PAGE_EVENTS)
        return size if self.last is None or self.step < 0 else min(size, self.last - self.following + 1)

    def take(self, page: Page) -> None:
        """Step over a page of events.

        Raises:
            LogCorruptedError: An event is missing, before or between or after them.
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
            f"the log is corrupted: {what} is missing. Somebody else wrote or deleted: "
            "stop appends, restore it"
        )
