"""Cloud SQL's instances as embedded PostgreSQL clusters.

Invariants:

- Each instance name has one cluster. Its data outlives the instance and serves the next one of that name.
- One thread starts every cluster. It lives as long as the process, since a server ends with the thread that
  started it.
- A keeper restarts a server that ends by itself. To stop a server, the keeper is stopped first.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from local_gcp.errors import SetupError
from local_gcp.postgres.server.binaries import find_binaries
from local_gcp.postgres.server.cluster import Postgres
from local_gcp.postgres.server.instances import Instances
from local_gcp.resource.errors import CloudError
from local_gcp.system.ports import free_port, refuse_taken_port

_LOOK_SECONDS: Final = 0.5


class EmbeddedInstances(Instances):
    """The clusters that this process owns.

    Args:
        directory: The parent directory of the clusters.
        port: The port of the first instance; other instances get free ports.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        self._port = port
        self._clusters: dict[str, Postgres] = {}
        self._ports: dict[str, int] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres")

    async def __aenter__(self) -> Self:
        refuse_taken_port(self._port, "--postgres-port")  # now, rather than in the middle of an update
        return self

    async def __aexit__(self, *_: object) -> None:
        for instance in tuple(self._clusters):
            await self.stop(instance)
        self._starter.shutdown()

    async def start(self, instance: str, flags: Mapping[str, str]) -> None:
        """Start the instance's cluster, or restart it if the flags differ."""
        running = self._clusters.get(instance)
        if running is not None and dict(running.settings) == dict(flags):
            return
        await self._end(instance)
        # Clients know the port, so an instance keeps it when it is restarted.
        port = self._ports.get(instance) or (
            free_port() if self._port in self._ports.values() else self._port
        )
        self._ports[instance] = port
        cluster = Postgres(self._directory / instance, find_binaries(), port, flags)
        await self._call(cluster.start)
        self._clusters[instance] = cluster
        self._keepers[instance] = asyncio.create_task(self._keep(cluster))

    async def copy(self, source: str, instance: str, *, follows: bool = False) -> None:
        """Copy the source's cluster while it runs."""
        original = self._cluster(source)
        await self.stop(instance)
        cluster = Postgres(self._directory / instance, find_binaries(), free_port())
        await self._call(lambda: cluster.copy(original, follows=follows))

    async def stop(self, instance: str) -> None:
        """Stop the instance's cluster, and release its port."""
        await self._end(instance)
        self._ports.pop(instance, None)

    async def _end(self, instance: str) -> None:
        if keeper := self._keepers.pop(instance, None):
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        if cluster := self._clusters.pop(instance, None):
            await self._call(cluster.stop)

    async def variables(self, instance: str) -> dict[str, str]:
        """Return the variables that reach the cluster; it has no TLS."""
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self._cluster(instance).port), "PGSSLMODE": "disable"}

    def conninfo(self, instance: str, user: str | None, database: str) -> str:
        """Return a connection string without a password, since all local connections are trusted."""
        cluster = self._cluster(instance)
        return cluster.conninfo(database=database) if user is None else cluster.conninfo(user, database)

    def _cluster(self, instance: str) -> Postgres:
        if instance not in self._clusters:
            raise CloudError(
                f"googleapi: Error 404: The Cloud SQL instance {instance} does not exist., notFound"
            )
        return self._clusters[instance]

    async def _keep(self, cluster: Postgres) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if cluster.pid is None:
                with suppress(SetupError):  # its log says why; the next attempt may succeed
                    await self._call(cluster.stop)
                    await self._call(cluster.start)

    async def _call(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._starter, work)
