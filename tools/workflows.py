"""Checks GitHub's workflows: their form with actionlint, their safety with zizmor. Neither uses the network.

actionlint is the one on PATH if that is new enough, or is built with Go, from `tools/actionlint/`, at the
first check: nothing but this check needs it, so `make setup` does without.
"""

import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import CACHE, ROOT, VENV_PYTHON, ToolError, go
from tools.stamp import Stamp, fingerprint
from tools.version import numbers

_MODULE = ROOT / "tools" / "actionlint"
_GO_MINIMUM = "1.21"  # which fetches the toolchain that go.mod asks for
_ACTIONLINT = go.Program(
    module=_MODULE,
    package="github.com/rhysd/actionlint/cmd/actionlint",
    path=CACHE / "actionlint" / "actionlint",
)


def _pinned() -> str:
    """Return the release that `go.mod` names."""
    (line,) = (line for line in (_MODULE / "go.mod").read_text().splitlines() if "rhysd/actionlint v" in line)
    return line.split()[1]


def _find_actionlint() -> Path:
    """Return the path of actionlint, which is built if there is none.

    Raises:
        ToolError: There is none, and none can be built.
    """
    pinned = _pinned()
    if found := shutil.which("actionlint"):
        answer = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=30, check=False)
        if numbers(answer.stdout) >= numbers(pinned):
            return Path(found)
    program = _ACTIONLINT.path
    stamp = Stamp("actionlint", fingerprint(_MODULE / "go.mod", _MODULE / "go.sum"))
    if not stamp.is_current(program):
        path = go.find(_GO_MINIMUM)
        if path is None:
            raise ToolError(
                f"There is no actionlint {pinned} or newer on PATH, and no Go {_GO_MINIMUM} or newer to "
                "build it. Either of these helps:\n"
                "  - install actionlint: https://github.com/rhysd/actionlint/blob/main/docs/install.md\n"
                f"  - install Go {_GO_MINIMUM} or newer: https://go.dev/dl/"
            )
        stamp.clear()
        program.parent.mkdir(parents=True, exist_ok=True)
        fix = "Check the network and GOPROXY, or install actionlint yourself, then run it again."
        go.build(path, _ACTIONLINT, duration="some seconds, once", fix=fix)
        stamp.write()
    return program


def main() -> int:
    """Run both checks, and return whether one of them found anything."""
    try:
        actionlint = _find_actionlint()
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    commands: list[list[str | Path]] = [
        # Not what it finds on PATH beside itself, so that each machine has the same verdict.
        [actionlint, "-shellcheck=", "-pyflakes="],
        [
            VENV_PYTHON.with_name("zizmor"),
            "--offline",
            "--quiet",
            "--no-progress",
            "--strict-collection",
            ".",
        ],
    ]
    verdicts = [subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands]
    return 1 if any(verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
