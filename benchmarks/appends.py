"""Appends: the function against COPY of the same rows, single ones and streams against an echo."""

import statistics
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Final

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.place import Workbench
from benchmarks.server import ECHO, ECHO_STREAM
from benchmarks.statements import statements
from benchmarks.work import Work
from benchmarks.workload import copy_lines, new_aggregate
from event_store.contract.append_request import prepare_request
from event_store.log import queries
from event_store.log.append_codec import encode
from event_store.v1 import event_store_pb2 as pb

DATABASE: Final = "appends"
IN_FLIGHT: Final = 64
STREAMS: Final = 8
_APPEND: Final = "/event_store.v1.EventStore/AppendEvents"
_APPEND_STREAM: Final = "/event_store.v1.EventStore/AppendEventsStream"
_COPIED_ROWS: Final = 200


class Appends:
    """The service on a database, and what it is measured against."""

    def __init__(self, place: Workbench) -> None:
        self._place = place
        self._copied = 0

    @cached_property
    def _connection(self) -> psycopg.Connection[tuple[object, ...]]:
        connection = self._place.connect(DATABASE)
        connection.execute(statements["create_copied"])
        return connection

    @cached_property
    def port(self) -> str:
        """Where the service listens."""
        return self._place.serve(DATABASE)

    def works(self) -> Iterator[Work]:
        """Yield the works in the order in which they run."""
        copy = f"COPY of {_COPIED_ROWS} rows"
        yield Work("append function, 200 appends", copy, 0.9, 0.7, self._function, self._copy, 60)
        yield Work("AppendEvents, 100 events each", copy, 0.9, 0.7, self._large, self._copies)
        yield Work("AppendEvents, 64 in flight", "echo, 64 in flight", 0.85, 0.65, self._small, self._echo)
        yield Work("8 append streams, 64 in flight", "their echo", 0.7, 0.5, self.streams, self._echoes)

    def _copy(self, events: int = 1) -> float:
        lines = copy_lines([new_aggregate(events) for _ in range(_COPIED_ROWS // events)], self._copied)
        self._copied += _COPIED_ROWS
        began = time.perf_counter()
        with self._connection.cursor().copy(statements["copy_in"]) as copy:
            copy.write(lines)
        return _COPIED_ROWS / (time.perf_counter() - began)

    def _copies(self) -> float:
        return statistics.harmonic_mean([self._copy(100) for _ in range(30)])

    def _function(self) -> float:
        batch = encode([prepare_request(new_aggregate(1), None) for _ in range(200)])
        argument = Jsonb(batch, dumps=lambda text: text)
        began = time.perf_counter()
        self._connection.execute(queries["append_events"], (argument,), prepare=True)
        return 200 / (time.perf_counter() - began)

    def _large(self) -> float:
        return 100 * self._load(_APPEND, [new_aggregate(100) for _ in range(100)], in_flight=8)

    def _small(self) -> float:
        return self._load(_APPEND, [new_aggregate(1) for _ in range(1500)])

    def _echo(self) -> float:
        return self._load(ECHO, [new_aggregate(1) for _ in range(1500)])

    def streams(self) -> float:
        """Append on streams; return events per second."""
        return self._load(_APPEND_STREAM, [new_aggregate(1) for _ in range(4000)], channels=STREAMS)

    def _echoes(self) -> float:
        return self._load(ECHO_STREAM, [new_aggregate(1) for _ in range(4000)], channels=STREAMS)

    def _load(
        self,
        method: str,
        requests: list[pb.AppendEventsRequest],
        *,
        in_flight: int = IN_FLIGHT,
        channels: int = 4,
    ) -> float:
        texts = [request.SerializeToString() for request in requests]
        given = b"".join(len(text).to_bytes(4, "big") + text for text in texts)
        command = ["benchmarks.loads.service", self.port, method, str(channels), str(in_flight)]
        return len(requests) / self._place.run(command, given=given)
