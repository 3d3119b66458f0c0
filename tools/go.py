"""Programs that are built with Go, from the modules that folders under `tools/` pin."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.progress import run
from tools.version import numbers

ENV = {"GOWORK": "off"}  # a workspace around the clone would replace our pins


@dataclass(frozen=True)
class Program:
    """A program and where it comes from.

    Attributes:
        module: The folder of the module that pins it.
        package: The package of its main function.
        path: Where it belongs.
        link: Flags of the linker.
    """

    module: Path
    package: str
    path: Path
    link: str = "-s -w"


def find(minimum: str) -> str | None:
    """Return the path of a Go that is a version, as in 1.26, or newer; None if there is none."""
    go = shutil.which("go")
    answer = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout if go else ""
    return go if numbers(answer)[:2] >= numbers(minimum)[:2] else None


def build(go: str, program: Program, *, duration: str, fix: str) -> None:
    """Build a program.

    Args:
        go: The path of Go.
        program: The program.
        duration: How long that takes, in words.
        fix: What the user can do if it fails.

    Raises:
        ToolError: It cannot be built here.
    """
    part = program.path.with_suffix(".part")
    run(
        f"{program.path.name}: building it with Go ({duration})",
        [go, "build", "-trimpath", "-ldflags", program.link, "-o", part, program.package],
        cwd=program.module,
        env=ENV,
        fix=fix,
    )
    part.replace(program.path)
