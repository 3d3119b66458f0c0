"""Things that fall due, thousands of which are withdrawn for each that does."""

import heapq
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from pubsub_emulator.broker.clock import Clock, Timer

Item = TypeVar("Item")
SLOT_SECONDS = 0.05  # the precision of every deadline; what falls due is at most this late


class Deadlines(Generic[Item]):
    """Items by the slot of time at whose end they fall due, with one timer for the earliest slot.

    Adding and withdrawing take constant time, and what is withdrawn leaves nothing behind but an
    empty slot. The armed timer is never later than the earliest slot that holds an item.

    Args:
        clock: Whose time it is.
        fall_due: Called with the items of a slot, in the order in which they were added.
    """

    def __init__(self, clock: Clock, fall_due: Callable[[list[Item]], None]) -> None:
        self._clock = clock
        self._fall_due = fall_due
        self._slots: dict[int, dict[Item, None]] = {}
        self._order: list[int] = []
        self._timer: Timer | None = None
        self._armed_slot = 0

    def add(self, item: Item, when: float) -> int:
        """Note that `item` falls due at `when`; gives the slot by which to withdraw it."""
        slot = math.ceil(when / SLOT_SECONDS)
        items = self._slots.get(slot)
        if items is None:
            self._slots[slot] = items = {}
            heapq.heappush(self._order, slot)
            self._arm()
        items[item] = None
        return slot

    def withdraw(self, item: Item, slot: int) -> None:
        """Forget `item`, if it is still there."""
        items = self._slots.get(slot)
        if items is not None:
            items.pop(item, None)

    def clear(self) -> None:
        """Forget everything."""
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
        """Everything that is still to fall due."""
        return itertools.chain.from_iterable(self._slots.values())
