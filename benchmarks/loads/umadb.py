"""UmaDB's own Python client, as a peer.

`python -m benchmarks.loads.umadb ADDRESS CALLS THREADS` prints the seconds.

Each append is on the condition that its aggregate has no event, which is what our workload expects too.
"""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from uuid import UUID

import umadb

from benchmarks.workload import new_aggregate

_CLIENTS = 8


def _appends(count: int) -> Iterator[tuple[umadb.Event, umadb.AppendCondition]]:
    for _ in range(count):
        append = new_aggregate(1).appends[0]
        event = append.events[0]
        data = b'{"data":%b,"metadata":%b}' % (event.event_data, event.metadata)
        tags = [append.aggregate_id]
        yield (
            umadb.Event(event.event_type, data, tags, UUID(event.event_id)),
            umadb.AppendCondition(umadb.Query([umadb.QueryItem(tags=tags)])),
        )


def _run(address: str, calls: int, threads: int) -> float:
    clients = [umadb.Client(address) for _ in range(_CLIENTS)]
    for client in clients:
        client.head()
    appends = iter(list(_appends(calls)))
    lock = Lock()

    def call(client: umadb.Client) -> None:
        while True:
            with lock:
                append = next(appends, None)
            if append is None:
                return
            client.append([append[0]], append[1])

    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        for done in [pool.submit(call, clients[n % _CLIENTS]) for n in range(threads)]:
            done.result()
        return time.perf_counter() - began


if __name__ == "__main__":
    print(_run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
