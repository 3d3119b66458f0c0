"""Record finished steps: a stamp file has the fingerprint of all inputs of a step."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tools import CACHE


def fingerprint(*parts: str | Path) -> str:
    """Return a digest of texts and files, in this order.

    Args:
        parts: Texts, and paths of files whose bytes are digested.

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
    """The stamp of a step; valid only while the step's result exists."""

    name: str
    key: str
    folder: Path = CACHE

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.name}.stamp"

    def is_current(self, *results: Path) -> bool:
        """Return whether the step was finished with the same inputs and its results still exist."""
        try:
            return self._path.read_text() == self.key and all(result.exists() for result in results)
        except FileNotFoundError:
            return False

    def clear(self) -> None:
        """Clear the stamp before the step starts, so that an interrupted step runs again."""
        self._path.unlink(missing_ok=True)

    def write(self) -> None:
        """Write the stamp after the step's result is complete."""
        self._path.write_text(self.key)
