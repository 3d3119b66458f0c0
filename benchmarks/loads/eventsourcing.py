"""The library eventsourcing on PostgreSQL, as a peer; it writes to the database by itself.

`python -m benchmarks.loads.eventsourcing MODE CALLS THREADS` prints the seconds; the mode is `default` or
`functions`.
"""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from benchmarks.workload import new_aggregate


def _events(count: int) -> Iterator[StoredEvent]:
    for _ in range(count):
        append = new_aggregate(1).appends[0]
        event = append.events[0]
        state = b'{"data":%b,"metadata":%b}' % (event.event_data, event.metadata)
        yield StoredEvent(UUID(append.aggregate_id), 1, event.event_type, state)


def _run(mode: str, calls: int, threads: int) -> float:
    datastore = PostgresDatastore(
        dbname=os.environ["PGDATABASE"],
        host=os.environ["PGHOST"],
        port=os.environ["PGPORT"],
        user=os.environ["PGUSER"],
        password="",
        pool_size=threads,
        connect_timeout=30,
        enable_db_functions=mode == "functions",
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name=f"eventsourcing_{mode}")
    recorder.create_table()
    events = iter(list(_events(calls)))
    lock = Lock()

    def call() -> None:
        while True:
            with lock:
                event = next(events, None)
            if event is None:
                return
            recorder.insert_events([event])

    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        for done in [pool.submit(call) for _ in range(threads)]:
            done.result()
        seconds = time.perf_counter() - began
    datastore.close()
    return seconds


if __name__ == "__main__":
    print(_run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
