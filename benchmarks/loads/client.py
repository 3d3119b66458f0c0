"""Our client with many calls in flight, each with one event.

`python -m benchmarks.loads.client PORT CALLS IN_FLIGHT` prints the seconds.
"""

import asyncio
import sys
import time

import uvloop

from benchmarks.workload import new_aggregate
from event_store import AggregateAppend, Client, ExpectedVersion, NewEvent


def _appends(count: int) -> list[AggregateAppend]:
    appends = [new_aggregate(1).appends[0] for _ in range(count)]
    return [
        AggregateAppend(
            each.aggregate_id,
            each.aggregate_type,
            [NewEvent(e.event_type, e.event_data, e.metadata) for e in each.events],
            ExpectedVersion.NO_STREAM,
        )
        for each in appends
    ]


async def _run(port: str, calls: int, in_flight: int) -> None:
    appends = iter(_appends(calls))

    async def call() -> None:
        for append in appends:
            await client.append_all([append])

    async with Client(f"127.0.0.1:{port}") as client:
        await client.status()
        began = time.perf_counter()
        await asyncio.gather(*(call() for _ in range(in_flight)))
        print(time.perf_counter() - began)


if __name__ == "__main__":
    uvloop.run(_run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
