"""The memory of a finished step: a file that holds the fingerprint of everything that shaped its result."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tools import CACHE


def fingerprint(*parts: str | Path) -> str:
    """Digest texts and the contents of files, in this order.

    Args:
        parts: A text counts as itself, a path as the bytes of its file.

    Returns:
        SHA-256 in 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part.read_bytes()
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


@dataclass(frozen=True)
class Stamp:
    """What a step was made from. It stands for the step's result only while that result exists."""

    name: str
    key: str
    folder: Path = CACHE

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.name}.stamp"

    def is_current(self, *results: Path) -> bool:
        """Tell whether the step was finished from the same inputs and its results are still there."""
        try:
            return self._path.read_text() == self.key and all(result.exists() for result in results)
        except FileNotFoundError:
            return False

    def clear(self) -> None:
        """Forget the step before its result is touched, so that one broken off halfway is done again."""
        self._path.unlink(missing_ok=True)

    def write(self) -> None:
        """Remember the step, after its result is complete."""
        self._path.write_text(self.key)
