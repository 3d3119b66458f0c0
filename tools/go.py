"""Build programs with Go, from the modules that are pinned in folders under `tools/`."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools import CACHE, ROOT, ToolError
from tools.progress import run
from tools.stamp import Stamp, fingerprint
from tools.version import numbers

_MINIMUM = "1.21"  # fetches the toolchain that go.mod requires
ENV = {"GOWORK": "off"}  # a workspace around the clone would replace our pins


@dataclass(frozen=True)
class Program:
    """A Go program, its source and its destination.

    Attributes:
        module: The folder of the module that pins it.
        package: The package of its main function.
        path: The path of the built program.
        link: The linker's flags.
    """

    module: Path
    package: str
    path: Path
    link: str = "-s -w"


def find(minimum: str) -> str | None:
    """Return the path of Go if its version is at least `minimum`, as in 1.26; otherwise None."""
    go = shutil.which("go")
    answer = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout if go else ""
    return go if numbers(answer)[:2] >= numbers(minimum)[:2] else None


def build(go: str, program: Program, *, duration: str, fix: str) -> None:
    """Build a program.

    Args:
        go: The path of Go.
        program: The program.
        duration: How long the build takes, in words.
        fix: The next step for the user if the build fails.

    Raises:
        ToolError: The build fails.
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


def find_or_build(package: str, *, install: str, duration: str) -> Path:
    """Return the path of a check's program: from PATH if it is new enough, otherwise built with Go.

    `tools/NAME/` pins the version.

    Args:
        package: The package of its main function; the last part is the program's name.
        install: URL of the installation instructions.
        duration: How long the build takes, in words.

    Raises:
        ToolError: The program is not on PATH and cannot be built.
    """
    name = package.rpartition("/")[2]
    module = ROOT / "tools" / name
    pinned = _pinned(module, package.partition("/cmd/")[0])
    if found := shutil.which(name):
        answer = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=30, check=False)
        if numbers(answer.stdout) >= numbers(pinned):
            return Path(found)
    program = Program(module=module, package=package, path=CACHE / name / name)
    stamp = Stamp(name, fingerprint(module / "go.mod", module / "go.sum"))
    if not stamp.is_current(program.path):
        go = find(_MINIMUM)
        if go is None:
            raise ToolError(
                f"There is no {name} {pinned} or newer on PATH, and no Go {_MINIMUM} or newer to "
                "build it. Either of these helps:\n"
                f"  - install {name}: {install}\n"
                f"  - install Go {_MINIMUM} or newer: https://go.dev/dl/"
            )
        stamp.clear()
        program.path.parent.mkdir(parents=True, exist_ok=True)
        fix = f"Check the network and GOPROXY, or install {name} yourself, then run it again."
        build(go, program, duration=duration, fix=fix)
        stamp.write()
    return program.path


def _pinned(module: Path, required: str) -> str:
    """Return the pinned version of a module from the `go.mod` of a folder."""
    lines = (line.split() for line in (module / "go.mod").read_text().splitlines())
    (version,) = (words[1] for words in lines if words[:1] == [required])
    return version
