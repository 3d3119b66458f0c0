"""Other event stores on the same machine, with the same events and as many calls in flight."""

import sys
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import grpc

from benchmarks.appends import DATABASE, IN_FLIGHT, Appends
from benchmarks.place import Workbench
from benchmarks.work import Work
from local_gcp.system.ports import free_port

_CLIENT_IN_FLIGHT: Final = 16
_CALLS: Final = 1000
_START_SECONDS: Final = 30.0


class Peers:
    """UmaDB with its own server, and the library eventsourcing on our PostgreSQL."""

    def __init__(self, place: Workbench, appends: Appends) -> None:
        self._place = place
        self._appends = appends

    def works(self) -> Iterator[Work]:
        """Yield a work for each peer."""
        yield Work(
            "8 append streams, 64 in flight",
            "UmaDB, 64 threads",
            1.5,
            0.9,
            self._appends.streams,
            self._umadb,
            missing=_missing("umadb"),
        )
        for mode, goal, at_least in (("default", 4.0, 2.0), ("functions", 2.0, 1.0)):
            yield Work(
                "Client.append, 16 in flight",
                f"eventsourcing on PostgreSQL, {mode}",
                goal,
                at_least,
                self._client,
                lambda mode=mode: self._eventsourcing(mode),  # type: ignore[misc] # mypy cannot infer a lambda's default
                missing=_missing("eventsourcing"),
            )

    def _client(self) -> float:
        command = ["benchmarks.loads.client", self._appends.port, str(_CALLS), str(_CLIENT_IN_FLIGHT)]
        return _CALLS / self._place.run(command)

    def _eventsourcing(self, mode: str) -> float:
        command = ["benchmarks.loads.eventsourcing", mode, str(_CALLS), str(_CLIENT_IN_FLIGHT)]
        return _CALLS / self._place.run(command, self._place.variables(DATABASE))

    @cached_property
    def _umadb_address(self) -> str:
        port = free_port()
        server = Path(sys.executable).with_name("umadb")
        path = self._place.directory / "umadb"
        self._place.start([str(server), "--listen", f"127.0.0.1:{port}", "--db-path", str(path)], {})
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(_START_SECONDS)
        return f"http://127.0.0.1:{port}"

    def _umadb(self) -> float:
        command = ["benchmarks.loads.umadb", self._umadb_address, str(2 * _CALLS), str(IN_FLIGHT)]
        return 2 * _CALLS / self._place.run(command)


def _missing(module: str) -> str:
    return "" if find_spec(module) else f"{module} is not installed"
