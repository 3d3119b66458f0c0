"""The state directory: everything that the local runtime keeps, `.local` unless told otherwise."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class State:
    """Where everything is, below one directory.

    Attributes:
        directory: Absolute. Two of them are two local Google Clouds that know nothing of each other.
    """

    directory: Path

    @property
    def settings(self) -> Path:
        """Ports and choices."""
        return self.directory / "settings.json"

    @property
    def records(self) -> Path:
        """What stands in the cloud."""
        return self.directory / "cloud.json"

    @property
    def announcement(self) -> Path:
        """What the daemon says of itself; true while it holds its lock."""
        return self.directory / "daemon.json"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.directory / "logs"

    @property
    def postgres(self) -> Path:
        """One cluster per instance."""
        return self.directory / "postgres"

    @property
    def pulumi(self) -> Path:
        """Pulumi's home, backend and stack files."""
        return self.directory / "pulumi"

    @property
    def exports(self) -> Path:
        """What Pub/Sub exported: `storage/BUCKET/…` and `bigquery/TABLE.jsonl`."""
        return self.directory / "exports"

    @property
    def home(self) -> Path:
        """The empty home directory of containers."""
        return self.directory / "home"

    def make(self) -> None:
        """Make the directory, readable by its owner alone but passable for PostgreSQL's user."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o711)
        for each in (self.logs, self.home, self.pulumi):
            each.mkdir(exist_ok=True)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock of the directory; the kernel lets go of it when its last holder ends.

        Args:
            name: `daemon` or `command`.

        Raises:
            BlockingIOError: Somebody holds it.
        """
        descriptor = os.open(self.directory / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)

    def is_locked(self, name: str) -> bool:
        """Tell whether somebody holds a lock."""
        if not self.directory.exists():
            return False
        try:
            with self.lock(name):
                return False
        except BlockingIOError:
            return True
