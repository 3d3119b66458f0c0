"""Long commands under one line that tells what they do and how long they have been at it.

Their output goes to `.tools/log/`; its end is shown only when they fail. On a terminal the line is rewritten
in place every second, elsewhere (a log of CI) it is repeated every 15 seconds.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools import CACHE, ROOT, ToolError

_REPEAT_SECONDS = 15
_TAIL_LINES = 15
_FREE_BYTES = 500_000_000  # what the packages take, the largest of all steps on the project's own disk
_FREE_SPACE = "Free about 5 GB, on the disk of the home directory too, and run it again."


class _Line:
    """The one line: announced at once, then carrying the elapsed seconds."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = time.monotonic()
        self._next_repeat_seconds = _REPEAT_SECONDS
        self._in_place = sys.stdout.isatty()
        print(title, end="" if self._in_place else "\n", flush=True)

    def tick(self) -> None:
        elapsed = int(time.monotonic() - self._started)
        if self._in_place:
            print(f"\r{self._title} … {elapsed} s", end="", flush=True)
        elif elapsed >= self._next_repeat_seconds:
            print(f"{self._title} … {elapsed} s", flush=True)
            self._next_repeat_seconds += _REPEAT_SECONDS

    def end(self) -> None:
        if self._in_place:
            print(flush=True)


def run(
    title: str,
    command: Sequence[str | Path],
    *,
    fix: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    timeout_seconds: float = 1800,
) -> None:
    """Run a command to its end, showing progress.

    Args:
        title: The line to show, without a full stop.
        command: Program and arguments.
        fix: What the user can do if it fails, a whole sentence.
        cwd: Where it runs.
        env: Variables added to ours.
        timeout_seconds: When to give up. The longest step takes 5 to 10 minutes on a slow machine.

    Raises:
        ToolError: It could not start, failed or took too long; shows the end of its log.
    """
    log = CACHE / "log" / (re.sub(r"\W+", "-", title.partition(" (")[0].lower()).strip("-") + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(CACHE).free < _FREE_BYTES:
        raise ToolError(
            f"{title}: less than {_FREE_BYTES // 10**6} MB are free on the disk of {CACHE}. {_FREE_SPACE}"
        )
    with log.open("wb") as output:
        try:
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env=os.environ | dict(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise ToolError(f"{title}: {command[0]} does not start: {error.strerror}. {fix}") from error
        outcome = _watch(child, _Line(title), timeout_seconds)
    if outcome:
        said = log.read_text(errors="replace")
        tail = "\n".join(f"  | {text}" for text in said.splitlines()[-_TAIL_LINES:])
        if "no space left on device" in said.lower():
            fix = _FREE_SPACE
        raise ToolError(f"{title}: {outcome}. The end of {log.relative_to(ROOT)}:\n{tail}\n{fix}")


def _watch(child: subprocess.Popen[bytes], line: _Line, timeout_seconds: float) -> str:
    """Wait for the child, which never outlives this call. Return what went wrong, or nothing."""
    deadline = time.monotonic() + timeout_seconds
    try:
        while time.monotonic() < deadline:
            try:
                code = child.wait(timeout=1)
            except subprocess.TimeoutExpired:
                line.tick()
            else:
                return f"failed with exit code {code}" if code else ""
        return f"gave up after {timeout_seconds:.0f} s"
    finally:
        line.end()
        if child.poll() is None:
            child.kill()
            child.wait()
