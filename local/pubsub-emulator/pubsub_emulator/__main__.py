"""`python -m pubsub_emulator --port 8085`: run the emulator until SIGINT or SIGTERM."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Final

import uvloop

from pubsub_emulator.server import ListenError, PubSubServer

_CHUNK_BYTES: Final = 4096


async def serve(host: str, port: int, exports: Path | None, *, until_eof: bool = False) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 chooses a free one.
        exports: Folder that exports write to; None rejects subscriptions with an export.
        until_eof: Whether to stop at the end of standard input as well.

    Raises:
        ListenError: The server cannot listen on this address.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    if until_eof:
        loop.add_reader(sys.stdin, _stop_at_eof, stopped)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with PubSubServer(host, port, exports=exports) as server:
        print(f"Pub/Sub listens: export PUBSUB_EMULATOR_HOST={server.address}", flush=True)
        await stopped.wait()


def _stop_at_eof(stopped: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), _CHUNK_BYTES):
        stopped.set()


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m pubsub_emulator", description="The embedded Pub/Sub, alone."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8085, help="port, 0 for a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--exports", type=Path, help="folder for exports, in the place of Cloud Storage and BigQuery"
    )
    parser.add_argument(
        "--until-eof",
        action="store_true",
        help="stop at the end of standard input, too",
    )
    arguments = parser.parse_args()
    try:
        uvloop.run(serve(arguments.host, arguments.port, arguments.exports, until_eof=arguments.until_eof))
    except ListenError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
