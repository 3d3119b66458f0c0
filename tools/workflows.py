"""Check the GitHub workflows offline: syntax with actionlint, security with zizmor."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import ROOT, VENV_PYTHON, ToolError, go


def main() -> int:
    """Run both checks, and return whether one of them had findings."""
    try:
        actionlint = go.find_or_build(
            "github.com/rhysd/actionlint/cmd/actionlint",
            install="https://github.com/rhysd/actionlint/blob/main/docs/install.md",
            duration="some seconds, once",
        )
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    commands: list[list[str | Path]] = [
        # Without the optional tools on PATH, so that every machine has the same result.
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
