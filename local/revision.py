"""One revision of a Cloud Run service: a process that listens on a port of its own."""

import asyncio

from local.errors import CloudError
from local.place import Place
from local.ports import free_port
from local.probe import Probe
from local.properties import Properties
from local.runner import Runner, Running


class Revision:
    """A revision that serves, or serves no more.

    Attributes:
        name: As in `event-store-00002`.
        port: Where it listens on 127.0.0.1.
    """

    def __init__(self, name: str, port: int, running: Running) -> None:
        self.name = name
        self.port = port
        self._running = running

    @classmethod
    async def start(
        cls, service: str, name: str, template: Properties, place: Place, runner: Runner
    ) -> "Revision":
        """Start one and wait until its startup probe passes.

        Raises:
            CloudError: It ended, or the probe did not pass in time; nothing of it runs then.
        """
        probe = Probe.parse(template["containers"][0])
        port = free_port()
        given = {"PORT": str(port), "K_SERVICE": service, "K_REVISION": name, "K_CONFIGURATION": service}
        running = await runner.start(f"service-{service}", template, place, given)
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
        """Wait for its end."""
        return await self._running.child.wait()

    async def stop(self) -> None:
        """Let it finish its requests, and end it. Stopping twice is harmless."""
        await self._running.stop()
