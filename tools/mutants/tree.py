"""Copy the tree to apply mutants and run tests in the copy; the user's tree is only read."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Final

from tools import SOURCES, ToolError
from tools.mutants.mutant import Mutant

_LINKED: Final = (".venv", ".tools")  # large, ignored by Git, and only read by tests
_PARTS: Final = (*SOURCES, "")  # the folders of packages
_PACKAGES: Final = (
    *("event_store", "event_store_infra", "local_gcp", "pubsub_emulator"),
    *("tools", "tests", "examples"),
)
_UNUSABLE: Final = {3: "failed itself", 4: "cannot find them", 5: "finds no test in them"}  # exit codes
_END_SECONDS: Final = 30.0  # for a test run to stop its processes
# Python considers a cached module current if its source has the same size and mtime in seconds.
_times = count(1_000_000_000)


class Ending(Enum):
    """The result of a test run."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Run:
    """A finished test run.

    Attributes:
        verdict: The result.
        failed: The failed tests, if pytest reported them.
        seconds: The duration.
        output: The output of pytest.
    """

    verdict: Ending
    failed: tuple[str, ...]
    seconds: float
    output: str


class Tree:
    """A copy of a tree in a separate folder, which the caller deletes.

    Args:
        source: The Git working tree; copied with uncommitted changes and new files.
        folder: An empty folder for the copy.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        self.root = folder / "tree"
        self._temporary = folder / "tmp"
        self._output = folder / "output.log"
        self._environment = os.environ | {
            # Before the editable install.
            "PYTHONPATH": os.pathsep.join(str(self.root / part) for part in _PARTS),
            "TMPDIR": str(self._temporary),
        }
        self._fill(source)

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """Apply a mutant; restore the file at the end.

        Raises:
            ToolError: The entry is stale.
        """
        path, text = self.root / mutant.file, mutant.applied(self.root)
        original = path.read_text()
        try:
            _write(path, text)
            yield
        finally:
            _write(path, original)

    async def run(self, tests: Iterable[str], limit_seconds: float, *, to_first: bool) -> Run:
        """Run tests with a time limit; if cancelled, end them first.

        Args:
            tests: The arguments of pytest.
            limit_seconds: The time limit.
            to_first: Whether to stop at the first test that fails.

        Raises:
            ToolError: pytest cannot run the tests at all.
        """
        command = [sys.executable, "-m", "pytest", "-q", "-ra", "--tb=short", "-p", "no:cacheprovider"]
        started = time.monotonic()
        with self._output.open("wb") as output:  # not a pipe: a test's orphan would keep it open
            child = await asyncio.create_subprocess_exec(
                *command,
                *(["-x"] if to_first else []),
                *tests,
                cwd=self.root,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # so that the whole session can be ended, and Ctrl-C reaches only us
            )
        try:
            async with asyncio.timeout(limit_seconds):
                code: int | None = await child.wait()
        except TimeoutError:
            code = None
        finally:
            await _end(child)
        said = self._output.read_text(errors="replace")
        if code in _UNUSABLE:
            raise ToolError(f"{' '.join(tests)}: pytest {_UNUSABLE[code]}:\n{said}")
        failed = tuple(re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE))
        verdict = Ending.TIMED_OUT if code is None else Ending.FAILED if code else Ending.PASSED
        return Run(verdict, failed, time.monotonic() - started, said)

    def check_imports(self) -> None:
        """Check that tests import this copy, not the tree that the environment was installed from.

        Raises:
            ToolError: They import another tree.
        """
        code = (
            "import sys\nfrom importlib.util import find_spec\nfor name in sys.argv[1:]:\n"
            " spec = find_spec(name)\n print(spec.submodule_search_locations[0])"
        )
        own = [name for name in _PACKAGES if any((self.root / part / name).is_dir() for part in _PARTS)]
        command = [sys.executable, "-c", code, *own]
        said = subprocess.run(
            command, cwd=self.root, env=self._environment, capture_output=True, text=True, check=True
        )
        for place in said.stdout.split():
            if not Path(place).resolve().is_relative_to(self.root.resolve()):
                raise ToolError(f"the copy imports {place}: mutants would change nothing. Run: make setup")

    def _fill(self, source: Path) -> None:
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=source, capture_output=True, text=True, check=True).stdout.split(
            "\0"
        )
        for name in names:
            original = source / name
            if name and (original.is_file() or original.is_symlink()):  # not deleted meanwhile
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(original, self.root / name, follow_symlinks=False)
        for name in _LINKED:
            if (source / name).exists():
                (self.root / name).symlink_to((source / name).resolve())
        self._temporary.mkdir()
        for folder in (self._temporary, *self._temporary.parents[:2]):
            folder.chmod(0o711)  # servers started by root's tests run as another user


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    seconds = next(_times)
    os.utime(path, (seconds, seconds))


async def _end(child: asyncio.subprocess.Process) -> None:
    """End a test run: let it clean up, then kill every process of its session."""
    with suppress(TimeoutError, ProcessLookupError):
        if child.returncode is None:
            child.send_signal(signal.SIGINT)
        async with asyncio.timeout(_END_SECONDS):
            await child.wait()
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.wait()
