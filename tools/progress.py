"""Run long commands under one progress line with a title and the elapsed seconds.

The output of a command goes to `.tools/log/`; its end is shown only if the command fails. On a terminal the
line is rewritten in place every second; elsewhere (a CI log) it is repeated every 15 seconds.
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
_FREE_BYTES = 500_000_000  # the size of the packages, the largest of all steps on the project's disk
_FREE_SPACE = "Free about 5 GB, on the disk of the home directory too, and run it again."


class _Line:
    """The progress line: printed at once, then updated with the elapsed seconds."""

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
    """Run a command to its end and show its progress.

    Args:
        title: The line to show, without a full stop.
        command: Program and arguments.
        fix: The next step for the user if the command fails, a whole sentence.
        cwd: The working directory.
        env: Environment variables in addition to ours.
        timeout_seconds: Time limit. The longest step takes 5 to 10 minutes on a slow machine.

    Raises:
        ToolError: The command did not start, failed or timed out; shows the end of its log.
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
    """Wait for the child, which never outlives this call; return the error, or ""."""
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
