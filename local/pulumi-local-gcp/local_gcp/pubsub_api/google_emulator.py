"""Google's official Pub/Sub emulator, run directly from its jar.

It does not use `gcloud beta emulators pubsub start`, which leaves the Java process and its port behind when
stopped. The emulator ends with `stop`, and on Linux also with the process that started it, however that ends.
"""

import asyncio
import os
import re
import shutil
import socket
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from local_gcp.errors import SetupError

START_TIMEOUT_SECONDS: Final = 30.0
STOP_TIMEOUT_SECONDS: Final = 10.0
MEMORY_MEGABYTES: Final = 512
_KEPT_LINES: Final = 20  # of its log, for a message when it fails to start

# Runs in the child before Java: no code of ours between fork and exec, so threads and gRPC do no harm.
_EXEC: Final = """
import ctypes, os, sys
if sys.platform == 'linux':
    ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def find_jar() -> Path:
    """Return the newest emulator jar of the installed Google Cloud SDKs.

    Raises:
        SetupError: The SDK or its emulator is missing; the message says how to install it.
    """
    roots = list(_sdk_roots())
    for root in roots:
        jars = (root / "platform" / "pubsub-emulator" / "lib").glob("cloud-pubsub-emulator-*-all.jar")
        newest = max(jars, key=lambda jar: [int(part) for part in version_of(jar).split(".")], default=None)
        if newest is not None:
            return newest
    raise SetupError(
        "Google's Pub/Sub emulator is not installed: looked in "
        f"{', '.join(map(str, roots))} for platform/pubsub-emulator/lib/*.jar. Install it with `gcloud"
        " components install pubsub-emulator` or the package google-cloud-cli-pubsub-emulator, or leave"
        " LOCAL_GCP_PUBSUB unset to use the embedded Pub/Sub, which needs neither."
    )


def version_of(jar: Path) -> str:
    """Return the emulator's version, such as 0.8.20, read from the jar's name, its only source."""
    found = re.search(r"-(\d+(?:\.\d+)*)-all$", jar.stem)
    return found[1] if found else "0"


def find_java() -> Path:
    """Return the path of `java` on PATH.

    Raises:
        SetupError: `java` is missing; the message says how to get it.
    """
    java = shutil.which("java")
    if java is None:
        raise SetupError(
            "Google's Pub/Sub emulator needs Java 8 or newer, but `java` is not on PATH. Install a Java"
            " runtime (Debian: `apt-get install default-jre-headless`), or leave LOCAL_GCP_PUBSUB unset to"
            " use the embedded Pub/Sub, which needs none."
        )
    return Path(java)


class OfficialEmulator:
    """Google's emulator as a child process: `async with OfficialEmulator() as emulator: emulator.address`.

    All state is lost when the emulator stops.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 for a free one.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._log: deque[str] = deque(maxlen=_KEPT_LINES)
        self.address = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the emulator and wait until it serves; then `address` is "HOST:PORT". Idempotent.

        Raises:
            SetupError: Java or the jar is missing, the port is taken, or the emulator did not start in time.
        """
        if self._process is not None:
            return
        java, jar = find_java(), find_jar()
        port = self._free_port()
        command = (java, f"-Xmx{MEMORY_MEGABYTES}m", "-jar", jar, f"--host={self._host}", f"--port={port}")
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", _EXEC, str(os.getpid()), *map(str, command)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        started = asyncio.Event()
        self._reader = asyncio.create_task(
            self._read(process, f"Server started, listening on {port}", started)
        )
        waiter = asyncio.create_task(started.wait())
        try:
            await asyncio.wait(
                (self._reader, waiter), timeout=START_TIMEOUT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            waiter.cancel()
            if not started.is_set():
                await self.stop()
        if not started.is_set():
            raise SetupError(
                f"Google's Pub/Sub emulator did not start on {self._host}:{port} within"
                f" {START_TIMEOUT_SECONDS:.0f} s. Its log:\n" + ("\n".join(self._log) or "(nothing)")
            )
        self.address = f"{self._host}:{port}"

    async def stop(self) -> None:
        """Stop the emulator, by force if it does not end in time. Idempotent."""
        process, self._process = self._process, None
        reader, self._reader = self._reader, None
        if process is None or reader is None:
            return
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await reader

    def _free_port(self) -> int:
        """Return the port to use; reject a taken one, on which the emulator would run unreachable."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections are no obstacle
            try:
                probe.bind((self._host, self._port))
            except OSError as error:
                raise SetupError(
                    f"Google's Pub/Sub emulator cannot use {self._host}:{self._port} ({error.strerror}): stop"
                    " the program that does, or choose another port; 0 stands for a free one."
                ) from None
            return int(probe.getsockname()[1])

    async def _read(self, process: asyncio.subprocess.Process, wanted: str, found: asyncio.Event) -> None:
        """Read the log until it ends, keep its last lines, and set the event at the wanted line."""
        if process.stdout is None:
            return
        while line := await process.stdout.readline():
            self._log.append(line.decode(errors="replace").rstrip())
            if wanted in self._log[-1]:
                found.set()


def _sdk_roots() -> Iterator[Path]:
    if configured := os.environ.get("CLOUDSDK_ROOT_DIR"):
        yield Path(configured)
    if gcloud := shutil.which("gcloud"):
        yield Path(gcloud).resolve().parent.parent
    yield Path("/usr/lib/google-cloud-sdk")
    yield Path.home() / "google-cloud-sdk"
