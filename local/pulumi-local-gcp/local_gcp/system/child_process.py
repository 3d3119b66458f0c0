"""The child processes of the local Google Cloud: ownership, logs and termination.

Invariants:

- A child ends with this process, even if that is killed: on Linux the kernel sends the child SIGTERM when the
  thread that spawned it ends. So call `start` in the main thread, where the event loop runs.
- A child leads its own process group, so a Ctrl-C in a terminal does not reach it, and all processes that it
  leaves behind are ended with it.
- `stop` sends SIGTERM, waits, and then kills. Stopping twice is harmless.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

GRACE_SECONDS: Final = 10.0  # Cloud Run's own limit
TAIL_LINES: Final = 20
_LOG_BYTES: Final = 10_000_000  # a larger log is started anew

# Runs in the child before its program: no code of ours between fork and exec, so threads and gRPC do no harm.
_EXEC: Final = """
import ctypes, os, sys
if sys.platform == 'linux':
    ctypes.CDLL(None).prctl(1, int(sys.argv[2]))  # PR_SET_PDEATHSIG
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execvp(sys.argv[3], sys.argv[3:])
"""


def mortal(command: Sequence[str], number: int = signal.SIGTERM) -> list[str]:
    """Return a command whose process gets a signal when its starting thread ends; Linux only."""
    return [sys.executable, "-I", "-S", "-c", _EXEC, str(os.getpid()), str(int(number)), *command]


class Child:
    """A child process.

    Attributes:
        pid: The id of its process and of its process group.
        log_path: The file that its output is appended to, shared with its predecessors of the same name.
    """

    def __init__(self, process: asyncio.subprocess.Process, log_path: Path, begins_at_byte: int) -> None:
        self._process = process
        self._begins_at_byte = begins_at_byte
        self.pid = process.pid
        self.log_path = log_path

    async def wait(self) -> int:
        """Wait for the process to end; return its exit code, negative for a signal."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End the process and all processes that it started."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(GRACE_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        with suppress(ProcessLookupError):  # all of the group have ended
            os.killpg(self.pid, signal.SIGKILL)

    def tail(self) -> str:
        """Return the last lines of the log."""
        with self.log_path.open("rb") as log:
            log.seek(self._begins_at_byte)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:]) or "(it wrote nothing)"


class Processes:
    """The owner of every child process: `async with Processes(logs) as processes`.

    Args:
        logs: The directory of the logs.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: set[Child] = set()

    async def __aenter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(self.stop(child) for child in tuple(self._children)))

    async def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], directory: Path
    ) -> Child:
        """Start a child process.

        Args:
            name: The name of its log.
            command: The program, by its absolute path, and its arguments.
            environment: All of its environment variables.
            directory: Its working directory.
        """
        log_path = self._logs / f"{name}.log"
        if log_path.exists() and log_path.stat().st_size > _LOG_BYTES:
            log_path.replace(log_path.with_suffix(".old.log"))
        with log_path.open("ab") as log:
            begins_at_byte = log.tell()  # before the child is there, which shares the file's position
            process = await asyncio.create_subprocess_exec(
                *mortal(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=directory,
                start_new_session=True,
            )
        child = Child(process, log_path, begins_at_byte)
        self._children.add(child)
        return child

    async def stop(self, child: Child) -> None:
        """Stop a child process and forget it."""
        await child.stop()
        self._children.discard(child)
