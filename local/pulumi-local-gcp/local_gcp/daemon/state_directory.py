"""The state directory, which holds everything that the local runtime stores; by default `.local`."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class State:
    """The paths in one state directory.

    Attributes:
        directory: The absolute path. Two state directories are two independent local Google Clouds.
    """

    directory: Path

    @property
    def settings(self) -> Path:
        """The file of ports and choices."""
        return self.directory / "settings.json"

    @property
    def records(self) -> Path:
        """The file of recorded resources."""
        return self.directory / "cloud.json"

    @property
    def announcement(self) -> Path:
        """The file in which the daemon describes itself; valid while the daemon holds its lock."""
        return self.directory / "daemon.json"

    @property
    def logs(self) -> Path:
        """The directory of logs, one file per process."""
        return self.directory / "logs"

    @property
    def postgres(self) -> Path:
        """The directory of PostgreSQL clusters, one per instance."""
        return self.directory / "postgres"

    @property
    def pulumi(self) -> Path:
        """The directory of Pulumi's home, backend and stack files."""
        return self.directory / "pulumi"

    @property
    def exports(self) -> Path:
        """The directory of Pub/Sub's exports: `storage/BUCKET/…` and `bigquery/TABLE.jsonl`."""
        return self.directory / "exports"

    @property
    def home(self) -> Path:
        """The empty home directory of containers."""
        return self.directory / "home"

    def make(self) -> None:
        """Create the directory, readable by its owner alone but passable for PostgreSQL's user."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o711)
        for each in (self.logs, self.home, self.pulumi):
            each.mkdir(exist_ok=True)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock of the directory; the kernel releases it when its last holder ends.

        Args:
            name: `daemon` or `command`.

        Raises:
            BlockingIOError: Another process holds the lock.
        """
        descriptor = os.open(self.directory / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)

    def is_locked(self, name: str) -> bool:
        """Tell whether a process holds a lock."""
        if not self.directory.exists():
            return False
        try:
            with self.lock(name):
                return False
        except BlockingIOError:
            return True
