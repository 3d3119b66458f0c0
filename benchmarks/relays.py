"""The relay against Google's own publisher client, into the same Pub/Sub, in order, without a subscriber."""

import sys
from collections.abc import Iterator
from functools import cached_property
from typing import Final

import psycopg

from benchmarks.place import Workbench, first_line
from benchmarks.statements import statements
from benchmarks.work import Work
from benchmarks.workload import new_aggregate

DATABASE: Final = "relays"
TOPIC: Final = "projects/benchmark/topics/events"
EVENTS: Final = 100_000
KEYS: Final = 1_000
_PEER_MESSAGES: Final = 2_000  # about a second of it


class Relays:
    """The embedded Pub/Sub, and a log to relay into it."""

    def __init__(self, place: Workbench) -> None:
        self._place = place

    def works(self) -> Iterator[Work]:
        """Yield the work."""
        yield Work(
            "relay of 100k events, 1,000 keys",
            "google-cloud-pubsub's publisher",
            40,
            20,
            self._relay,
            self._publisher,
            1,
        )

    @cached_property
    def _connection(self) -> psycopg.Connection[tuple[object, ...]]:
        requests = [new_aggregate(1) for _ in range(KEYS)]
        return self._place.fill(DATABASE, requests, grow="lengthen_aggregates", copies=EVENTS // KEYS - 1)

    @cached_property
    def _bus(self) -> dict[str, str]:
        process = self._place.start([sys.executable, "-m", "benchmarks.bus"], {})
        name, _, address = first_line(process).partition(" ")
        print(f"the relay's Pub/Sub is {name}", flush=True)
        variables = {"PUBSUB_EMULATOR_HOST": address}
        self._place.run(["benchmarks.loads.relay", "create"], variables)
        return variables

    def _relay(self) -> float:
        self._connection.execute(statements["relay_from_the_beginning"])
        variables = {**self._place.variables(DATABASE), **self._bus}
        return EVENTS / self._place.run(["benchmarks.loads.relay", "relay", str(EVENTS)], variables)

    def _publisher(self) -> float:
        command = ["benchmarks.loads.publisher", str(_PEER_MESSAGES), str(KEYS)]
        return _PEER_MESSAGES / self._place.run(command, self._bus)
