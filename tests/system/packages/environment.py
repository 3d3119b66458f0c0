"""Wheels of all four distributions, and empty environments to install them into."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools import ROOT, SOURCES, release
from tools.python_environment import UV_ENV, find_uv

INSTALL_SECONDS: Final = 300  # the first time packages come from the network, later from uv's cache
RUN_SECONDS: Final = 60
# What a team has beside its program: names that the repository has at its top.
USERS_OWN: Final = ("infra", "local", "migrations", "service", "tests", "tools")


def build(folder: Path) -> Path:
    """Build the wheel of each distribution.

    Args:
        folder: Where they go.

    Returns:
        The folder.
    """
    for source in SOURCES:
        release.build("wheel", ROOT / source, folder)
    return folder


@dataclass(frozen=True, slots=True)
class VirtualEnvironment:
    """An environment of Python with a folder of the user's own, from which everything runs.

    Attributes:
        folder: Holds both.
    """

    folder: Path

    @classmethod
    def make(
        cls, folder: Path, wheels: Path, *requirements: str, is_pinned: bool = True
    ) -> "VirtualEnvironment":
        """Make an environment and install into it.

        Args:
            folder: Where it goes.
            wheels: The folder of our wheels; everything else comes from the package index.
            requirements: What a user would name to pip.
            is_pinned: Whether releases are those of `requirements.lock`, or the newest that fit.
        """
        made = cls(folder)
        made.home.mkdir(parents=True)
        for name in USERS_OWN:
            (made.home / name).mkdir()
            (made.home / name / "__init__.py").write_text("OWN = True\n")
        pins = ["--constraint", str(ROOT / "requirements.lock")] if is_pinned else []
        for command in (
            ["venv", "--python", sys.executable, str(folder / "venv")],
            [
                "pip",
                "install",
                "--python",
                str(made.python),
                "--find-links",
                str(wheels),
                *pins,
                *requirements,
            ],
        ):
            done = subprocess.run(
                [find_uv(), *command],
                env=os.environ | UV_ENV,
                capture_output=True,
                text=True,
                check=False,
                timeout=INSTALL_SECONDS,
            )
            assert done.returncode == 0, done.stderr
        return made

    @property
    def home(self) -> Path:
        """The user's own folder."""
        return self.folder / "home"

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where packages are installed."""
        (found,) = (self.folder / "venv" / "lib").glob("python*/site-packages")
        return found

    def variables(self, **more: str) -> dict[str, str]:
        """Return the variables of a process that runs here and sees nothing of this repository."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))
        }
        return kept | {"PATH": os.pathsep.join((str(self.python.parent), os.environ["PATH"]))} | more

    def start(self, *command: str, **variables: str) -> "subprocess.Popen[str]":
        """Start a command of the environment, from the user's folder."""
        return subprocess.Popen(
            [self.python.parent / command[0], *command[1:]],
            cwd=self.home,
            env=self.variables(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the environment to its end, from the user's folder."""
        return subprocess.run(
            [self.python.parent / command[0], *command[1:]],
            cwd=self.home,
            env=self.variables(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_SECONDS,
        )

    def run_program(self, text: str, **variables: str) -> str:
        """Run a program that stands in the user's folder, with every warning an error; return its output."""
        (self.home / "program.py").write_text(text)
        done = self.run("python", "-W", "error", "program.py", **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def distributions(self) -> Mapping[str, int]:
        """Return the bytes that each installed distribution takes."""
        found = {}
        for record in self.site_packages.glob("*.dist-info/RECORD"):
            name = re.split(r"-\d", record.parent.name)[0].replace("_", "-").lower()
            paths = (self.site_packages / line.rsplit(",", 2)[0] for line in record.read_text().splitlines())
            found[name] = sum(path.stat().st_size for path in paths if path.is_file())
        return found
