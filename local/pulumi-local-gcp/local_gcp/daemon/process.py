"""The background process that is the local Google Cloud: `python -m local_gcp.daemon.process STATE PROGRAM`.

Invariants: each state directory has at most one daemon, the holder of its lock. The daemon announces on the
descriptor of `--ready` that it is ready, or why it cannot start. SIGTERM ends it with all its children, and
so does SIGKILL.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvloop

from local_gcp.daemon.endpoints import endpoints_handler
from local_gcp.daemon.settings import Settings
from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble
from local_gcp.errors import LocalGcpError, SetupError
from local_gcp.provider.server import Provider
from local_gcp.resource.records import Records
from local_gcp.system.child_process import Processes


async def serve(state: State, program: Path, ready_descriptor: int) -> None:
    """Run the local Google Cloud until SIGTERM.

    Raises:
        LocalGcpError: The local Google Cloud cannot start.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    settings = Settings.load(state)
    if settings is None:
        raise SetupError(f"{state.settings} is missing: start with `up`")
    processes, records = Processes(state.logs), Records(state.records)
    assembly = assemble(state, settings, processes, records, program)
    async with (
        assembly.running(processes),
        Provider(assembly.cloud, endpoints_handler(assembly.endpoints)) as provider,
    ):
        announcement = {
            "pid": os.getpid(),
            "providers": provider.attachment,
            "fingerprint": settings.fingerprint(os.environ),
        }
        state.announcement.write_text(json.dumps(announcement))
        _say(ready_descriptor, announcement)
        await stopped.wait()


def _say(descriptor: int, what: Mapping[str, Any]) -> None:
    os.write(descriptor, json.dumps(what).encode())
    os.close(descriptor)


def main() -> int:
    """Acquire the daemon's lock and serve."""
    parser = argparse.ArgumentParser(prog="python -m local_gcp.daemon.process")
    parser.add_argument("state", type=Path)
    parser.add_argument("program", type=Path)
    parser.add_argument("--ready", type=int, required=True)
    arguments = parser.parse_args()
    state = State(arguments.state)
    os.set_inheritable(arguments.ready, False)  # children that inherit it would hide its end
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        with state.lock("daemon"):
            code = 0
            try:
                uvloop.run(serve(state, arguments.program, arguments.ready))
            except (LocalGcpError, OSError) as error:
                code = 1
                _say(arguments.ready, {"error": str(error)})
            sys.stderr.flush()
            os._exit(code)  # inside the lock: a process that waits for the lock waits for the end of this one
    except BlockingIOError:
        _say(arguments.ready, {"error": f"a local Google Cloud runs in {state.directory} already"})
        return 1


if __name__ == "__main__":
    sys.exit(main())
