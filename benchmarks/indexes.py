"""What each kind of index on `events` costs: `python -m benchmarks.indexes`, the figures of ADR 5.

Every variant gets the same rows, in the same batches, in turns, so that a slow minute of the machine slows
all of them. Bytes of write-ahead log per row are firm; rows per second are not, so only their ratio is shown.
"""

import argparse
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from local_gcp.postgres.server.binaries import find_binaries
from local_gcp.postgres.server.cluster import Postgres
from local_gcp.system.ports import free_port

BATCH_ROWS: Final = 200
EVENT_DATA: Final = '{"word": "' + "a" * 256 + '"}'
METADATA: Final = '{"correlation_id": "' + "b" * 94 + '"}'
COLUMNS: Final = (
    "(event_id uuid PRIMARY KEY, aggregate_id uuid, aggregate_type varchar(100), event_type varchar(100),"
    " event_version integer, event_data jsonb, metadata jsonb, occurred_at timestamptz,"
    " created_at timestamptz DEFAULT now(), global_position bigint UNIQUE,"
    " UNIQUE (aggregate_id, event_version))"
)
AGGREGATE: Final = "CREATE INDEX ON {} (aggregate_id)"
OCCURRED_AT: Final = "CREATE INDEX ON {} (occurred_at)"
OCCURRED_AT_BRIN: Final = "CREATE INDEX ON {} USING brin (occurred_at)"
TYPE: Final = "CREATE INDEX ON {} (event_type)"
TYPE_POSITION: Final = "CREATE INDEX ON {} (event_type, global_position)"
VARIANTS: Final[dict[str, tuple[str, ...]]] = {
    "as in ADR 3: three B-trees of one column": (AGGREGATE, OCCURRED_AT, TYPE),
    "idx_events_aggregate is the unique key": (OCCURRED_AT, TYPE),
    "idx_events_occurred_at is BRIN": (AGGREGATE, OCCURRED_AT_BRIN, TYPE),
    "idx_events_type on (event_type, global_position)": (AGGREGATE, OCCURRED_AT, TYPE_POSITION),
    "all three": (OCCURRED_AT_BRIN, TYPE_POSITION),
}
INSERT: Final = """
    INSERT INTO {} (event_id, aggregate_id, aggregate_type, event_type, event_version, event_data, metadata,
                    occurred_at, global_position)
    SELECT id, aggregate, 'Vocabulary', 'Type' || position %% 50, version, %s, %s, clock_timestamp(), position
    FROM unnest(%s::uuid[], %s::uuid[], %s::integer[], %s::bigint[]) AS r (id, aggregate, version, position)
"""


def batches(rows: int) -> Iterator[list[list[object]]]:
    """Yield event ids (in the order of time, as UUIDv7 are), aggregates, versions and positions."""
    aggregates = [uuid.uuid4() for _ in range(rows // 10 + 1)]
    for start in range(0, rows, BATCH_ROWS):
        positions = range(start, start + BATCH_ROWS)
        yield [
            [uuid.UUID(int=(p << 64) | (uuid.uuid4().int >> 64)) for p in positions],
            [aggregates[p % len(aggregates)] for p in positions],
            [p // len(aggregates) + 1 for p in positions],
            list(positions),
        ]


def measure(connection: psycopg.Connection[tuple[int]], rows: int) -> dict[str, tuple[float, float]]:
    """Return bytes of write-ahead log per row and seconds per batch (the median), by variant."""
    tables = {variant: sql.Identifier(f"variant_{number}") for number, variant in enumerate(VARIANTS)}
    for variant, table in tables.items():
        connection.execute(sql.SQL("CREATE TABLE {} " + COLUMNS).format(table))
        for statement in VARIANTS[variant]:
            connection.execute(sql.SQL(statement).format(table))
    wal_bytes = dict.fromkeys(VARIANTS, 0)
    seconds: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for batch in batches(rows):
        for variant, table in tables.items():
            before = _wal_bytes(connection)
            started = time.perf_counter()
            connection.execute(sql.SQL(INSERT).format(table), [EVENT_DATA, METADATA, *batch])
            seconds[variant].append(time.perf_counter() - started)
            wal_bytes[variant] += _wal_bytes(connection) - before
    return {v: (wal_bytes[v] / rows, statistics.median(seconds[v])) for v in VARIANTS}


def _wal_bytes(connection: psycopg.Connection[tuple[int]]) -> int:
    row = connection.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetchone()
    assert row is not None  # noqa: S101 # a SELECT without FROM has one row
    return row[0]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="rows per variant (default: %(default)s)")
    rows = parser.parse_args().rows // BATCH_ROWS * BATCH_ROWS
    with tempfile.TemporaryDirectory() as directory:
        server = Postgres(Path(directory) / "postgres", find_binaries(), free_port())
        server.start()
        try:
            with psycopg.connect(server.conninfo(), autocommit=True) as connection:
                measured = measure(connection, rows)
        finally:
            server.remove()
    first = next(iter(measured.values()))
    print("| variant | WAL bytes per row | WAL, ratio | rows per second, ratio |\n|---|---|---|---|")
    for variant, (wal, batch_seconds) in measured.items():
        print(f"| {variant} | {wal:.0f} | {wal / first[0]:.2f} | {first[1] / batch_seconds:.2f} |")


if __name__ == "__main__":
    main()
