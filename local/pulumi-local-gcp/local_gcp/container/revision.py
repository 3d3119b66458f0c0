"""One revision of a Cloud Run service or worker pool: a process with a port of its own."""

import asyncio

from local_gcp.cloudrun.environment import Surroundings
from local_gcp.cloudrun.supervisor import Runner, Running
from local_gcp.resource.errors import CloudError
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties
from local_gcp.system.ports import free_port


class Revision:
    """A revision that is running or has ended.

    Attributes:
        name: As in `event-store-00002`.
        port: Its port on 127.0.0.1.
        pid: Its process id.
    """

    def __init__(self, name: str, port: int, running: Running) -> None:
        self.name = name
        self.port = port
        self.pid = running.child.pid
        self._running = running

    @classmethod
    async def start(
        cls, surroundings: Surroundings, name: str, template: Properties, place: Place, runner: Runner
    ) -> "Revision":
        """Start a revision and wait until it is ready.

        Raises:
            CloudError: The revision ended, or its probe did not pass in time; nothing of it is left running.
        """
        probe = surroundings.probe(template["containers"][0])
        port = free_port()
        running = await runner.start(surroundings.log, template, place, surroundings.variables(name, port))
        child = running.child
        passing = asyncio.create_task(probe.passes(port))
        ending = asyncio.create_task(child.wait())
        ready = False
        try:
            await asyncio.wait((passing, ending), return_when=asyncio.FIRST_COMPLETED)
            ready = passing.done() and passing.result() and not ending.done()
        finally:
            passing.cancel()
            ending.cancel()
            if not ready:
                await running.stop()
        if not ready:
            what = (
                f"its command exited with {await child.wait()} before it was ready"
                if not passing.done()
                else f"its startup probe did not pass within {probe.within_seconds:.0f} s"
            )
            raise CloudError(f"revision {name} failed: {what}. The end of {child.log_path}:\n{child.tail()}")
        return cls(name, port, running)

    async def wait(self) -> int:
        """Wait until the revision ends."""
        return await self._running.child.wait()

    async def stop(self) -> None:
        """Let the revision finish its work, and stop it. Stopping twice is harmless."""
        await self._running.stop()
