"""The embedded PostgreSQL: the life of one cluster.

Invariants:

- A data directory is complete or absent: `initdb` and a copy work in a directory beside it, which is
  renamed when they are done.
- The server is a child of this process and, on Linux, ends with it in any case: the kernel sends it SIGINT
  when the thread that spawned it ends. So call `start` in a thread that lives as long as the process.
- PostgreSQL refuses root. For root the server runs as `nobody`, and only the cluster's own directory has its
  permissions changed.
- If `nobody` cannot reach the cluster's directory (below root's home, say), the cluster is kept in
  `/var/lib/pulumi-local-gcp`, and a link leads to it. A cluster without its link is orphaned, and is deleted.
"""

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import psycopg

from local_gcp.errors import SetupError
from local_gcp.postgres.server.binaries import KEPT_FOR_ROOT, Binaries, is_reachable
from local_gcp.postgres.server.server_user import as_server_user, server_user

SUPERUSER: Final = "cloudsqladmin"  # Cloud SQL's own name for it, reserved there
CREATE_ADMINISTRATORS: Final = "CREATE ROLE cloudsqlsuperuser CREATEROLE CREATEDB;"
START_TIMEOUT_SECONDS: Final = 60.0  # crash recovery replays the log first
STOP_TIMEOUT_SECONDS: Final = 30.0
_SOCKET_PATH_BYTES: Final = 80  # the kernel allows 107, less what PostgreSQL adds


@dataclass(slots=True)
class Postgres:
    """One cluster, owned by this process.

    Attributes:
        data_directory: The cluster's directory, created by the first `start`; the log is beside it.
        binaries: The result of `find_binaries`.
        port: The TCP port on 127.0.0.1.
        settings: Server settings that differ from the defaults, as in `{"max_connections": "50"}`.
    """

    data_directory: Path
    binaries: Binaries
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    _server: subprocess.Popen[bytes] | None = None

    @property
    def log_path(self) -> Path:
        """The path of the server's log."""
        return self.data_directory.with_name(f"{self.data_directory.name}.log")

    @property
    def pid(self) -> int | None:
        """The server's process id; None while it is not running."""
        return self._server.pid if self._server is not None and self._server.poll() is None else None

    def conninfo(self, user: str = SUPERUSER, database: str = "postgres") -> str:
        """Return a libpq connection string; connections from the loopback are trusted."""
        return psycopg.conninfo.make_conninfo(
            host="127.0.0.1", port=self.port, user=user, dbname=database, sslmode="disable"
        )

    def start(self) -> None:
        """Create the cluster if it does not exist, start the server, and wait until it answers.

        Raises:
            SetupError: The port is taken, the disk is full, or the data belongs to another major version.
        """
        if self.pid is not None:
            return
        self._refuse_taken_port()
        try:
            directory = self._place()
            if not (directory / "PG_VERSION").exists():
                self._initialise(directory)
            self._refuse_other_version(directory)
            self._server = self._spawn(directory)
        except OSError as error:
            raise SetupError(_explain(f"{self.data_directory}: {error.strerror}")) from None
        self._await_ready(self._server)

    def copy(self, source: Self, *, follows: bool = False) -> None:
        """Replace this cluster by a copy of a running one, with all that it has committed.

        The earlier content of this cluster is deleted. Its own server must not be running.

        Args:
            source: The running cluster.
            follows: Whether the copy is a standby, which finds the source by its `primary_conninfo`.

        Raises:
            SetupError: The disk is full.
        """
        self.remove()
        directory = self._place()
        with self._unfinished(directory) as unfinished:
            backup = [str(self.binaries.directory / "pg_basebackup"), "-D", str(unfinished)]
            backup += ["-R"] * follows
            self._run([*backup, "-d", source.conninfo(), "-X", "stream", "-c", "fast", "--no-password"])

    def stop(self) -> None:
        """End all sessions, write everything to disk, and wait until the server has ended."""
        server, self._server = self._server, None
        if server is None or server.poll() is not None:
            return
        server.send_signal(signal.SIGINT)  # fast shutdown
        try:
            server.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)  # it recovers from its log at the next start
            server.wait(STOP_TIMEOUT_SECONDS)

    def remove(self) -> None:
        """Stop the server, and delete the cluster with its log."""
        self.stop()
        directory = self.data_directory.resolve()
        shutil.rmtree(directory, ignore_errors=True)
        if self.data_directory.is_symlink():
            directory.parent.rmdir()
            self.data_directory.unlink()
        self.log_path.unlink(missing_ok=True)

    def _place(self) -> Path:
        """Return the cluster's real directory, which the server's user can reach."""
        wanted = self.data_directory.absolute()
        wanted.parent.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0 or is_reachable(wanted.parent.resolve()):
            return wanted.parent.resolve() / wanted.name
        place = KEPT_FOR_ROOT / f"cluster-{hashlib.sha256(bytes(wanted)).hexdigest()[:16]}"
        if not wanted.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            wanted.symlink_to(place / "data")
        return place / "data"

    def _initialise(self, directory: Path) -> None:
        with self._unfinished(directory) as unfinished:
            locale = ["--locale=C"]
            if self.binaries.major >= 17:  # noqa: PLR2004 # the first with a provider that is the same everywhere
                locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            initdb = [str(self.binaries.directory / "initdb"), "-D", str(unfinished), "-U", SUPERUSER]
            self._run([*initdb, "-A", "trust", "-E", "UTF8", "--no-instructions", *locale])
            single = [
                str(self.binaries.directory / "postgres"),
                "--single",
                "-D",
                str(unfinished),
                "postgres",
            ]
            self._run(single, statement=CREATE_ADMINISTRATORS)

    @contextmanager
    def _unfinished(self, directory: Path) -> Iterator[Path]:
        """Yield an empty directory of the server's user, which becomes the cluster's directory on success."""
        unfinished = directory.with_name(f"{directory.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(mode=0o700)
            if os.geteuid() == 0:
                os.chown(unfinished, *server_user())
            yield unfinished
            unfinished.rename(directory)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _spawn(self, directory: Path) -> subprocess.Popen[bytes]:
        options = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(directory) if len(bytes(directory)) <= _SOCKET_PATH_BYTES else "",
            **self.settings,
        }
        command = [str(self.binaries.directory / "postgres"), "-D", str(directory)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log_path.open("wb") as log:
            return subprocess.Popen(
                as_server_user(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal reaches us alone, and we stop the server
                **_SURROUNDINGS,
            )

    def _run(self, command: Sequence[str], statement: str = "") -> None:
        result = subprocess.run(
            as_server_user(command),
            input=statement.encode(),
            capture_output=True,
            timeout=START_TIMEOUT_SECONDS,
            check=False,
            **_SURROUNDINGS,
        )
        if result.returncode != 0:
            raise SetupError(_explain((result.stderr + result.stdout).decode(errors="replace")))

    def _refuse_taken_port(self) -> None:
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise SetupError(
                    f"port {self.port} on 127.0.0.1 cannot be used ({error.strerror}): "
                    "stop what listens there or choose another port"
                ) from None

    def _refuse_other_version(self, directory: Path) -> None:
        made_by = (directory / "PG_VERSION").read_text().strip()
        if made_by != str(self.binaries.major):
            raise SetupError(
                f"{self.data_directory} was made by PostgreSQL {made_by}, but {self.binaries.directory} "
                f"is PostgreSQL {self.binaries.major}: install the former, or delete the directory"
            )

    def _await_ready(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            if server.poll() is not None:
                raise SetupError(_explain(self.log_path.read_text(errors="replace")))
            try:
                psycopg.connect(self.conninfo(), connect_timeout=2).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    self.stop()
                    raise SetupError(
                        f"PostgreSQL did not answer within {START_TIMEOUT_SECONDS:.0f} s, "
                        f"see {self.log_path}: {error}"
                    ) from None
                time.sleep(0.01)  # a refused connection returns at once
            else:
                return


_SURROUNDINGS: Final[dict[str, Any]] = {"cwd": "/", "env": {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}}


def _explain(said: str) -> str:
    """Turn PostgreSQL's message of a failure into a cause and a fix."""
    if "No space left on device" in said:
        return "no space left on the disk for PostgreSQL's data: free some and try again"
    if "Address already in use" in said:
        return "PostgreSQL's port was taken while it started: stop what listens there or choose another port"
    told = re.findall(r"(?:FATAL|PANIC|HINT|DETAIL|error):\s+(.*)", said)
    return "PostgreSQL cannot start: " + ("; ".join(told) or said.strip()[-500:] or "it said nothing")
