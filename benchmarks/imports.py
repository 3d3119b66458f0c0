"""Imports against COPY of the same rows in parts of the same size: `python -m benchmarks.imports`.

Both take turns, part by part, each on a table of its own with the same indexes. "stored" is for how long a
part locks the log at the most, while appends wait.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

import psycopg

from benchmarks.statements import statements
from benchmarks.workload import copy_lines, new_aggregate
from event_store.database.schema import upgrade
from event_store.log import queries
from event_store.log.import_writer import prepare_part
from event_store.v1 import event_store_pb2 as pb
from local_gcp.postgres.server.binaries import find_binaries
from local_gcp.postgres.server.cluster import Postgres
from local_gcp.system.ports import free_port

PART_EVENTS: Final = 1_000
AGGREGATE_EVENTS: Final = 10


def part(number: int) -> tuple[pb.ImportEventsRequest, bytes]:
    """Return a part of new aggregates, as a request and as lines for COPY."""
    requests = [new_aggregate(AGGREGATE_EVENTS) for _ in range(PART_EVENTS // AGGREGATE_EVENTS)]
    events = [
        pb.ImportedEvent(
            aggregate_id=append.aggregate_id,
            aggregate_type=append.aggregate_type,
            event_version=version,
            event=event,
        )
        for request in requests
        for append in request.appends
        for version, event in enumerate(append.events, 1)
    ]
    return pb.ImportEventsRequest(events=events), copy_lines(requests, number * PART_EVENTS)


def measure(postgres: Postgres, parts: int) -> dict[str, list[float]]:
    """Return the milliseconds of each part: checked, sent, stored under the lock; and of the limit."""
    found: dict[str, list[float]] = {"checked": [], "sent": [], "stored": [], "COPY": []}
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.execute(statements["create_copied"])
        cursor.execute(queries["import_part_create"])
        cursor.execute(queries["import_begin"], ("benchmark",))
        for number in range(parts):
            request, lines = part(number)
            marks = [time.perf_counter()]
            prepared = prepare_part(request, number * PART_EVENTS + 1, None)
            marks.append(time.perf_counter())
            cursor.execute(queries["import_part_clear"])
            with cursor.copy(queries["import_part_copy"]) as copy:
                copy.write(prepared.rows)
            marks.append(time.perf_counter())
            cursor.execute(queries["import_part_store"], ("benchmark", 1), prepare=True)
            marks.append(time.perf_counter())
            with cursor.copy(statements["copy_in"]) as copy:
                copy.write(lines)
            marks.append(time.perf_counter())
            for name, began, ended in zip(found, marks, marks[1:], strict=False):
                found[name].append((ended - began) * 1000)
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=100, help="of 1,000 events (default: %(default)s)")
    parts = parser.parse_args().parts
    with tempfile.TemporaryDirectory() as directory:
        postgres = Postgres(Path(directory) / "postgres", find_binaries(), free_port())
        postgres.start()
        try:
            upgrade(lambda: psycopg.connect(postgres.conninfo()), report=print)
            found = measure(postgres, parts)
        finally:
            postgres.remove()
    print(f"{'milliseconds of a part':24}   median    max")
    for name, milliseconds in found.items():
        print(f"{name:24} {statistics.median(milliseconds):8.1f} {max(milliseconds):8.1f}")
    checked, sent, stored, copied = map(statistics.median, found.values())
    print(f"COPY / (sent + stored): {copied / (sent + stored):.2f}; the next part is checked meanwhile")
    print(f"COPY / (checked + sent + stored): {copied / (checked + sent + stored):.2f}")


if __name__ == "__main__":
    main()
