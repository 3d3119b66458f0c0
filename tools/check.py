"""Run every check of the repository except the tests; continue after a check that fails."""

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import ROOT

# import-linter has no module for `python -m`. Its contracts are in pyproject.toml.
_LINT_IMPORTS = "import importlinter.cli as cli; cli.lint_imports_command(['--no-cache', '--no-logo'])"
_CHECKS = {
    "format": ["-m", "ruff", "format", "--check"],
    "lint": ["-m", "ruff", "check", "--quiet"],
    "types": ["-m", "mypy", "--no-error-summary"],
    "imports": ["-c", _LINT_IMPORTS],
    "generated code": ["tools/contract.py", "--check"],
    "contract": ["tools/contract_rules.py"],
    "locks": ["tools/lock.py", "--check"],
    "tracked files": ["tools/tracked.py"],
    "workflows": ["tools/workflows.py"],
}


def _passes(name: str, arguments: list[str]) -> bool:
    started = time.monotonic()
    print(f"{name:16}", end="", flush=True)
    answer = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(f"{'FAILED' if answer.returncode else 'ok':8}{time.monotonic() - started:.1f} s", flush=True)
    if answer.returncode:
        print(f"{answer.stdout}{answer.stderr}", flush=True)
    return answer.returncode == 0


if __name__ == "__main__":
    verdicts = [_passes(name, arguments) for name, arguments in _CHECKS.items()]
    sys.exit(0 if all(verdicts) else 1)
