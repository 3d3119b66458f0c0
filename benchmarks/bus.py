"""A Pub/Sub: `python -m benchmarks.bus` prints its address and serves until SIGTERM.

It is Google's official emulator where that is installed: in Java, it keeps up with the relay. The embedded
Pub/Sub, in Python, holds the relay back.
"""

import asyncio
import signal

import uvloop

from local_gcp.errors import SetupError
from local_gcp.pubsub_api.google_emulator import OfficialEmulator, find_jar, find_java
from pubsub_emulator import PubSubServer


def _find() -> OfficialEmulator | PubSubServer:
    try:
        find_jar()
        find_java()
    except SetupError:
        return PubSubServer("127.0.0.1", 0)
    return OfficialEmulator()


async def _serve() -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with _find() as server:
        print(f"{type(server).__name__} {server.address}", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    uvloop.run(_serve())
