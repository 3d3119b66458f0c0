"""Deadlines: optimised for items that are nearly always withdrawn before they fall due."""

import heapq
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from pubsub_emulator.broker.clock import Clock, Timer

Item = TypeVar("Item")
SLOT_SECONDS = 0.05  # the precision of every deadline: an item falls due at most this late


class Deadlines(Generic[Item]):
    """Group items into time slots; an item falls due at the end of its slot. One timer serves all.

    Adding and withdrawing take constant time, and a withdrawn item leaves at most an empty slot
    behind. The timer is never later than the earliest slot that holds an item.

    Args:
        clock: The server's clock.
        fall_due: Called with the items of a slot, in the order of `add`.
    """

    def __init__(self, clock: Clock, fall_due: Callable[[list[Item]], None]) -> None:
        self._clock = clock
        self._fall_due = fall_due
        self._slots: dict[int, dict[Item, None]] = {}
        self._order: list[int] = []
        self._timer: Timer | None = None
        self._armed_slot = 0

    def add(self, item: Item, when: float) -> int:
        """Add an item that falls due at `when`; return the slot, which `withdraw` takes."""
        slot = math.ceil(when / SLOT_SECONDS)
        items = self._slots.get(slot)
        if items is None:
            self._slots[slot] = items = {}
            heapq.heappush(self._order, slot)
            self._arm()
        items[item] = None
        return slot

    def withdraw(self, item: Item, slot: int) -> None:
        """Remove an item, if it has not fallen due."""
        items = self._slots.get(slot)
        if items is not None:
            items.pop(item, None)

    def clear(self) -> None:
        """Remove every item."""
        self._slots.clear()
        self._order.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        earliest = self._order[0]
        if self._timer is not None:
            if self._armed_slot <= earliest:
                return
            self._timer.cancel()
        self._armed_slot = earliest
        self._timer = self._clock.call_at(earliest * SLOT_SECONDS, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now_slot = math.floor(self._clock.now() / SLOT_SECONDS + 1e-6)
        due: list[Item] = []
        while self._order and (self._order[0] <= now_slot or not self._slots[self._order[0]]):
            due.extend(self._slots.pop(heapq.heappop(self._order)))
        if self._order:
            self._arm()
        if due:
            self._fall_due(due)

    def __iter__(self) -> Iterator[Item]:
        """Yield every item that has not fallen due."""
        return itertools.chain.from_iterable(self._slots.values())
