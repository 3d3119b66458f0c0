"""The client side of the daemon: find it, start it, query it, stop it.

Invariant: only the daemon's lock tells whether it runs. The kernel keeps the lock, so no other process and no
file of an earlier daemon is ever mistaken for a running one.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local_gcp.daemon.endpoints import ask_endpoints
from local_gcp.daemon.settings import Settings
from local_gcp.daemon.state_directory import State
from local_gcp.errors import SetupError
from local_gcp.resource.properties import Properties

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running daemon.

    Attributes:
        pid: Its process id.
        providers: The value for PULUMI_DEBUG_PROVIDERS.
        fingerprint: The hash of the settings and the code that it was started with.
    """

    pid: int
    providers: str
    fingerprint: str

    def endpoints(self) -> Properties:
        """Request all endpoints from the daemon.

        Raises:
            SetupError: The daemon does not answer.
        """
        return ask_endpoints(int(self.providers.split(",")[0].split(":")[1]))


def find(state: State) -> Daemon | None:
    """Return the daemon of a state directory, or None unless it runs and is ready."""
    if not state.is_locked("daemon"):
        return None
    try:
        return Daemon(**json.loads(state.announcement.read_text()))
    except (OSError, ValueError):
        return None  # it is starting or stopping


def ensure(state: State, settings: Settings, program: Path) -> tuple[Daemon, bool]:
    """Return a daemon that is up to date, starting it if necessary, and whether it was started.

    Raises:
        SetupError: The daemon cannot start; the message says why.
    """
    running = find(state)
    if running is not None and running.fingerprint == settings.fingerprint(os.environ):
        return running, False
    stop(state)
    return _start(state, program), True


def stop(state: State) -> bool:
    """Stop the daemon and wait until all of it has ended; return whether one ran.

    Raises:
        SetupError: The daemon does not end.
    """
    daemon = find(state)
    if daemon is None and not state.is_locked("daemon"):
        return False
    if daemon is not None:
        os.kill(daemon.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while state.is_locked("daemon"):
        if time.monotonic() > deadline:
            who = f"process {daemon.pid}" if daemon else "the process that is starting there"
            raise SetupError(f"the local Google Cloud in {state.directory} does not end: end {who} by hand")
        time.sleep(_PAUSE_SECONDS)
    return True


def _start(state: State, program: Path) -> Daemon:
    state.announcement.unlink(missing_ok=True)
    log_path = state.logs / "daemon.log"
    reading, writing = os.pipe()
    with log_path.open("ab") as log:
        command = [
            sys.executable,
            "-P",  # imports nothing from its working directory
            "-m",
            "local_gcp.daemon.process",
            str(state.directory),
            str(program),
            f"--ready={writing}",
        ]
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=state.directory,
            start_new_session=True,
            pass_fds=(writing,),
        )
    os.close(writing)
    said = _read(reading)
    if not said:
        child.terminate()  # it may be slow rather than dead
        child.wait(STOP_SECONDS)
        raise SetupError(f"the local Google Cloud did not start: see the end of {log_path}")
    if "error" in said:
        child.wait(STOP_SECONDS)
        raise SetupError(str(said["error"]))
    return Daemon(**said)


def _read(descriptor: int) -> Mapping[str, Any]:
    """Return the daemon's announcement, empty if the daemon ends or takes too long."""
    with os.fdopen(descriptor, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], START_SECONDS)
        said: Mapping[str, Any] = json.loads(pipe.read() or b"{}") if ready else {}
        return said
