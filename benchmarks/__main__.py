"""The works, each against its limit on the same machine in the same minute: `python -m benchmarks`.

Absolute figures say more about the machine than about the code, so only ratios have goals. Each round runs a
work and its limit in turns, a slice at a time; the result is the median of the rounds.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.server import ECHO, ECHO_STREAM
from benchmarks.workload import copy_lines, new_aggregate
from event_store.batch import encode
from event_store.database import queries
from event_store.migrate import upgrade
from event_store.v1 import event_store_pb2 as pb
from event_store.validation import prepare_request
from local.ports import free_port
from local.postgres import Postgres
from local.postgres_binaries import find_binaries

APPEND = "/event_store.v1.EventStore/AppendEvents"
STREAM = "/event_store.v1.EventStore/AppendEventsStream"
RESULTS = Path(__file__).parent / "results" / "latest.json"
COPY = """
    COPY copied (event_id, aggregate_id, aggregate_type, event_type, event_version, event_data,
                 metadata, occurred_at, global_position) FROM STDIN"""


@dataclass(frozen=True, slots=True)
class Work:
    """A work and its limit; `run` and `limit` do a slice and return events or calls per second.

    Attributes:
        goal: The ratio that we aim at.
        at_least: The ratio that a change may not fall below.
        slices: How many make a round.
    """

    name: str
    against: str
    goal: float
    at_least: float
    run: Callable[[], float]
    limit: Callable[[], float]
    slices: int


class Bench:
    """A migrated database, a server on it and the works."""

    def __init__(self, postgres: Postgres, port: str) -> None:
        self._connection = psycopg.connect(postgres.conninfo(), autocommit=True)
        self._connection.execute("CREATE TABLE IF NOT EXISTS copied (LIKE events INCLUDING ALL)")
        self._port = port
        self._copied = 0

    def works(self) -> list[Work]:
        """Return the works in the order in which they run."""
        copy = "COPY of 200 rows"
        return [
            Work("append function, 200 appends", copy, 0.9, 0.7, self._function, lambda: self._copy(1), 60),
            Work(
                "AppendEvents, 100 events each", copy, 0.9, 0.7, self._large, lambda: self._copy_many(100), 3
            ),
            Work("AppendEvents, 64 in flight", "echo, 64 in flight", 0.85, 0.65, self._small, self._echo, 3),
            Work("8 append streams, 64 in flight", "their echo", 0.7, 0.5, self._streams, self._echoes, 3),
        ]

    def _copy(self, events: int) -> float:
        lines = copy_lines([new_aggregate(events) for _ in range(200 // events)], self._copied)
        self._copied += 200
        began = time.perf_counter()
        with self._connection.cursor().copy(COPY) as copy:
            copy.write(lines)
        return 200 / (time.perf_counter() - began)

    def _copy_many(self, events: int) -> float:
        return statistics.harmonic_mean([self._copy(events) for _ in range(30)])

    def _function(self) -> float:
        batch = encode([prepare_request(new_aggregate(1), None) for _ in range(200)])
        argument = Jsonb(batch, dumps=lambda text: text)
        began = time.perf_counter()
        self._connection.execute(queries["append_events"], (argument,), prepare=True)
        return 200 / (time.perf_counter() - began)

    def _large(self) -> float:
        return 100 * self._load(APPEND, in_flight=8, requests=[new_aggregate(100) for _ in range(100)])

    def _small(self) -> float:
        return self._load(APPEND, in_flight=64, requests=[new_aggregate(1) for _ in range(1500)])

    def _echo(self) -> float:
        return self._load(ECHO, in_flight=64, requests=[new_aggregate(1) for _ in range(1500)])

    def _streams(self) -> float:
        return self._load(STREAM, 64, [new_aggregate(1) for _ in range(4000)], channels=8)

    def _echoes(self) -> float:
        return self._load(ECHO_STREAM, 64, [new_aggregate(1) for _ in range(4000)], channels=8)

    def _load(
        self, method: str, in_flight: int, requests: list[pb.AppendEventsRequest], channels: int = 4
    ) -> float:
        texts = [request.SerializeToString() for request in requests]
        command = [sys.executable, "-m", "benchmarks.load", self._port, method, str(channels), str(in_flight)]
        sent = b"".join(len(text).to_bytes(4, "big") + text for text in texts)
        said = subprocess.run(command, input=sent, capture_output=True, check=True).stdout
        return len(requests) / float(said)


@contextmanager
def _server(postgres: Postgres) -> Iterator[str]:
    variables = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGDATABASE": "postgres"}
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server"],
        env={**os.environ, **variables, "PGUSER": "cloudsqladmin", "PGSSLMODE": "disable"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield (process.stdout.readline() if process.stdout else "").strip()
    finally:
        process.terminate()
        process.wait()


def _machine(postgres: Postgres) -> str:
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"PostgreSQL {postgres.binaries.major}, Python {platform.python_version()}"
    )


def _measure(works: list[Work], rounds: int) -> Iterator[tuple[Work, list[float]]]:
    """Yield each work with its ratio in each round."""
    ratios: dict[str, list[float]] = {work.name: [] for work in works}
    for number in range(rounds + 1):
        for work in works:
            slices = [(work.limit(), work.run()) for _ in range(work.slices)]
            limit, run = (statistics.median(side) for side in zip(*slices, strict=True))
            if number > 0:  # the first warms up
                ratios[work.name].append(run / limit)
                figures = f"{run:8.0f}/s  {work.against:18} {limit:8.0f}/s"
                print(f"round {number}  {work.name:30} {figures}  {run / limit:.2f}", flush=True)
    for work in works:
        yield work, ratios[work.name]


def _result(work: Work, ratios: list[float]) -> dict[str, Any]:
    low, middle, high = (round(each, 3) for each in (min(ratios), statistics.median(ratios), max(ratios)))
    return {
        "work": work.name,
        "against": work.against,
        "ratio": {"min": low, "median": middle, "max": high},
        "goal": work.goal,
        "at_least": work.at_least,
        "higher_is_better": True,
    }


def main() -> None:
    """Run the works, print the ratios and write them down."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        postgres = Postgres(Path(directory) / "postgres", find_binaries(), free_port())
        postgres.start()
        try:
            upgrade(lambda: psycopg.connect(postgres.conninfo()), report=print)
            with _server(postgres) as port:
                works = Bench(postgres, port).works()
                results = [_result(*measured) for measured in _measure(works, arguments.rounds)]
            machine = _machine(postgres)
        finally:
            postgres.remove()
    print(f"\n{machine}\n{'work':30} {'against':18}   min  median   max   goal  at least")
    for result in results:
        ratio = result["ratio"]
        print(
            f"{result['work']:30} {result['against']:18}  {ratio['min']:.2f}    {ratio['median']:.2f}  "
            f"{ratio['max']:.2f}   {result['goal']:.2f}      {result['at_least']:.2f}"
        )
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(json.dumps({"machine": machine, "works": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
