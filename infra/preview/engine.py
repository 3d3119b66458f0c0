"""The engine on a stack's real state: which backend is logged in to, and what it would do there."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import yaml

from event_store.errors import ConfigurationError

ROOT: Final = Path(__file__).resolve().parents[2]
_TOOLS: Final = ROOT / ".tools" / "pulumi" / "bin"
_LISTING_SECONDS: Final = 60.0
_PLANNING_SECONDS: Final = 1200.0  # a refresh asks Google about every resource


def backend(project: Path) -> str:
    """Return where Pulumi keeps its state, in Pulumi's own order; empty if nobody has logged in.

    Args:
        project: The folder of `Pulumi.yaml`.
    """
    if url := os.environ.get("PULUMI_BACKEND_URL"):
        return url
    content = yaml.safe_load((project / "Pulumi.yaml").read_text(encoding="utf-8"))
    if url := (content.get("backend") or {}).get("url"):
        return str(url)
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        return str(json.loads((home / "credentials.json").read_text(encoding="utf-8")).get("current") or "")
    except FileNotFoundError:
        return ""


def has_stack(project: Path, stack: str) -> bool:
    """Tell whether the backend knows a stack of the project.

    Raises:
        ConfigurationError: It does not say.
    """
    listed = json.loads(_pulumi(project, _LISTING_SECONDS, "stack", "ls", "--json") or "null") or []
    return any(each["name"].rpartition("/")[2] == stack.rpartition("/")[2] for each in listed)


def make_plan(project: Path, stack: str, *flags: str) -> str:
    """Return the JSON of the engine's plan, also that of a preview which failed.

    Args:
        project: The folder of `Pulumi.yaml`.
        stack: The name of the stack.
        flags: More for `pulumi preview`.

    Raises:
        ConfigurationError: It makes none.
    """
    return _pulumi(
        project, _PLANNING_SECONDS, "preview", "--json", "--stack", stack, *flags, whatever_becomes=True
    )


def search_path() -> str:
    """Return the PATH that `pulumi` is looked for in, and runs with.

    The program's own Python comes first: a language host that ignores the runtime's options takes that.
    """
    own = [str(Path(sys.executable).parent), str(_TOOLS)]
    return os.pathsep.join([*own, os.environ.get("PATH", os.defpath)])


def find_pulumi() -> str:
    """Return the path of `pulumi`.

    Raises:
        ConfigurationError: There is none.
    """
    program = shutil.which("pulumi", path=search_path())
    if program is None:
        raise ConfigurationError("there is no `pulumi`: run `make setup`, or put one on PATH")
    return program


def _pulumi(project: Path, timeout_seconds: float, *command: str, whatever_becomes: bool = False) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 # our own command line, no shell
            [find_pulumi(), *command, "--non-interactive"],
            cwd=project,
            env={**os.environ, "PATH": search_path()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigurationError(
            f"`pulumi {command[0]}` did not end within {timeout_seconds:.0f} s: is its backend there?"
        ) from None
    if answer.returncode and not (whatever_becomes and answer.stdout.lstrip().startswith("{")):
        raise ConfigurationError(
            f"`pulumi {' '.join(command[:2])}` failed: {(answer.stderr or answer.stdout).strip()}"
        )
    return answer.stdout
