"""The Pulumi CLI as our commands run it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from event_store.errors import ConfigurationError

# Each flag is a variable, too: https://github.com/pulumi/pulumi/blob/v3.259.0/pkg/cmd/pulumi/pulumi.go
OPTION: Final = "PULUMI_OPTION_"


def search_path() -> str:
    """Return the PATH that `pulumi` is searched in, and runs with.

    The program's own Python comes first: a language host that ignores the runtime's options takes that.
    """
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def find_pulumi() -> str:
    """Return the path of `pulumi`.

    Raises:
        ConfigurationError: There is no `pulumi`.
    """
    program = shutil.which("pulumi", path=search_path())
    if program is None:
        raise ConfigurationError("`pulumi` is not on PATH: install it, https://www.pulumi.com/docs/install/")
    return program


def ask_pulumi(folder: Path, timeout_seconds: float, *command: str, whatever_becomes: bool = False) -> str:
    """Return the output of a command, which runs without options from the environment.

    One of them, `PULUMI_OPTION_TARGET`, leaves resources out of a plan, and the plan does not say so.

    Args:
        folder: The folder of `Pulumi.yaml`.
        timeout_seconds: How long to wait for it.
        command: As in `stack`, `ls`.
        whatever_becomes: Whether to return the JSON of a command that fails, too.

    Raises:
        ConfigurationError: The command fails, or takes too long.
    """
    try:
        answer = subprocess.run(  # noqa: S603 # our own command line, no shell
            [find_pulumi(), *command, "--non-interactive"],
            cwd=folder,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(OPTION)},
                "PATH": search_path(),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigurationError(
            f"`pulumi {command[0]}` did not finish within {timeout_seconds:.0f} s: "
            "check that its backend answers"
        ) from None
    if answer.returncode and not (whatever_becomes and answer.stdout.lstrip().startswith("{")):
        raise ConfigurationError(
            f"`pulumi {' '.join(command[:2])}` failed: {(answer.stderr or answer.stdout).strip()}"
        )
    return answer.stdout


def run_pulumi(folder: Path, *command: str) -> None:
    """Run a command with its output shown.

    Args:
        folder: The folder of `Pulumi.yaml`.
        command: As in `up`.

    Raises:
        ConfigurationError: The command fails.
    """
    answer = subprocess.run(  # noqa: S603 # our own command line, no shell
        [find_pulumi(), *command, "--non-interactive"],
        cwd=folder,
        env={**os.environ, "PATH": search_path()},
        check=False,
    )
    if answer.returncode:
        raise ConfigurationError(f"`pulumi {' '.join(command[:2])}` failed: see its output above")
