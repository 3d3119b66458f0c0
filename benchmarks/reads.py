"""Reading a million events through the service, against binary COPY out of the same table."""

import time
from collections.abc import Iterator
from functools import cached_property
from typing import Final

import psycopg

from benchmarks.place import Workbench
from benchmarks.statements import statements
from benchmarks.work import Work
from benchmarks.workload import new_aggregate

DATABASE: Final = "reads"
EVENTS: Final = 1_000_000
_DISTINCT_EVENTS: Final = 10_000


class Reads:
    """The service on a full database."""

    def __init__(self, place: Workbench) -> None:
        self._place = place

    def works(self) -> Iterator[Work]:
        """Yield the work."""
        yield Work("ReadAll of 1M events, decoded", "binary COPY", 0.6, 0.35, self._read, self._copy, 1)

    @cached_property
    def _connection(self) -> psycopg.Connection[tuple[object, ...]]:
        requests = [new_aggregate(10) for _ in range(_DISTINCT_EVENTS // 10)]
        return self._place.fill(
            DATABASE, requests, grow="multiply_events", copies=EVENTS // _DISTINCT_EVENTS - 1
        )

    @cached_property
    def _port(self) -> str:
        return self._place.serve(DATABASE)

    def _read(self) -> float:
        return EVENTS / self._place.run(["benchmarks.loads.read", self._port, str(EVENTS)])

    def _copy(self) -> float:
        cursor = self._connection.cursor()
        began = time.perf_counter()
        with cursor.copy(statements["copy_out"]) as copy:
            for _ in copy:
                pass
        return EVENTS / (time.perf_counter() - began)
