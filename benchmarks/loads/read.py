"""A client that reads the whole log: `python -m benchmarks.loads.read PORT EVENTS` prints the seconds."""

import sys
import time

import uvloop

from event_store import Client


async def _run(port: str, events: int) -> None:
    async with Client(f"127.0.0.1:{port}") as client:
        began = time.perf_counter()
        count = 0
        async for _ in client.read_all():
            count += 1
        seconds = time.perf_counter() - began
    if count != events:
        sys.exit(f"error: {count} events were read instead of {events}")
    print(seconds)


if __name__ == "__main__":
    uvloop.run(_run(sys.argv[1], int(sys.argv[2])))
