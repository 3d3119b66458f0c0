"""Pin the dependencies of every pyproject.toml; with --check, check that the pins are current.

`requirements.lock` has all packages. The others have parts of it, in the same versions:
`local/requirements.lock` is what `make up`, `make preview` and `make stack` run,
`service/requirements.lock` what the image runs, and `service/build.lock` what builds a wheel. The first line
of each identifies the declarations that it was made from, so that the check needs no network.

After writing the locks, the tool checks that each package has a wheel for each supported system and Python,
so that no user has to build one from source.
"""

import argparse
import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import CACHE, ROOT, SOURCES, ToolError
from tools.progress import run
from tools.python_environment import EVERYTHING, RUN, UV_ENV, find_uv
from tools.stamp import fingerprint

_WORKSPACE = ROOT / "pyproject.toml"
_MEMBERS = [ROOT / folder / "pyproject.toml" for folder in SOURCES]
_SERVICE = ROOT / "service" / "pyproject.toml"
_BUILD_SYSTEM = CACHE / "build-system.in"
# A test compares this with docs/reference/systems.md. Debian 12 and Ubuntu 22.04 have glibc >= 2.34.
SYSTEMS = ("x86_64-manylinux_2_34", "aarch64-manylinux_2_34", "aarch64-apple-darwin")
PYTHONS = ("3.11", "3.12", "3.13")


def _declared(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def _selections() -> dict[Path, list[str | Path]]:
    """Return each lock file, and the dependencies that uv pins in it."""
    groups = [f"--group={_WORKSPACE}:{name}" for name in _declared(_WORKSPACE)["dependency-groups"]]
    return {
        EVERYTHING: [*_MEMBERS, "--all-extras", *groups],
        RUN: [*_MEMBERS, "--extra", "server", "--constraint", EVERYTHING],
        ROOT / "service" / "requirements.lock": [_SERVICE, "--all-extras", "--constraint", EVERYTHING],
        ROOT / "service" / "build.lock": [_BUILD_SYSTEM, "--constraint", EVERYTHING, "--no-annotate"],
    }


def _first_line() -> str:
    shaping: list[Any] = [_declared(_WORKSPACE)["dependency-groups"]]
    for member in _MEMBERS:
        declared = _declared(member)
        project = declared["project"]
        shaping += [
            project["requires-python"],
            project["dependencies"],
            project.get("optional-dependencies", {}),
            declared["build-system"]["requires"],
        ]
    return f"# Dependencies of every pyproject.toml: {fingerprint(json.dumps(shaping, sort_keys=True))}\n"


def lock(*, upgrade: bool) -> None:
    """Write all locks; keep the pinned versions unless `upgrade` is set.

    Raises:
        ToolError: The dependencies cannot be resolved.
    """
    uv = find_uv()
    own = [f"--no-emit-package={_declared(member)['project']['name']}" for member in _MEMBERS]
    _BUILD_SYSTEM.write_text("\n".join(_declared(_SERVICE)["build-system"]["requires"]))
    for path, selection in _selections().items():
        command = [uv, "pip", "compile", *selection, *own, "--output-file", path, "--universal"]
        command += ["--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
        command += ["--custom-compile-command", "make lock", *(["--upgrade"] if upgrade else [])]
        fix = "Check the network and the versions in pyproject.toml."
        run(f"Pins in {path.relative_to(ROOT)}", command, env=UV_ENV, fix=fix)
        path.write_text(_first_line() + path.read_text())
    check_wheels(uv)


def check_wheels(uv: Path) -> None:
    """Check that every pinned package has a wheel for every supported system.

    Args:
        uv: The path of uv.

    Raises:
        ToolError: A package has no wheel for a supported system; the message names it.
    """
    for system in SYSTEMS:
        for python in PYTHONS:
            command: list[str | Path] = [
                uv,
                "pip",
                "compile",
                EVERYTHING,
                "--no-deps",
                "--only-binary",
                ":all:",
                "--no-header",
            ]
            command += ["--python-platform", system, "--python-version", python, "--output-file", os.devnull]
            fix = "Pin a release that has a wheel, or take the system out of SYSTEMS and the documents."
            run(f"Wheels for {system}, Python {python}", command, env=UV_ENV, fix=fix)


def check() -> None:
    """Compare the dependencies that the locks were made from with the current ones.

    Raises:
        ToolError: A lock was made from other dependencies.
    """
    first_line = _first_line()
    stale = [path for path in _selections() if not path.read_text().startswith(first_line)]
    if stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        raise ToolError(
            f"{names} was made from other dependencies than the pyproject.toml have now. Run: make lock"
        )


def main() -> int:
    """Lock or check."""
    parser = argparse.ArgumentParser(prog="tools/lock.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, use no network")
    parser.add_argument("--upgrade", action="store_true", help="take the newest release of everything")
    arguments = parser.parse_args()
    try:
        if arguments.check:
            check()
        else:
            lock(upgrade=arguments.upgrade)
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
