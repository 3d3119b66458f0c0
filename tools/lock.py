"""Pins the dependencies of pyproject.toml, or with --check tells whether the pins belong to it.

`requirements.lock` is for a clone and its tests. The image has the same releases without Pulumi and without
development tools from locks of its own: `service/requirements.lock`, and `service/build.lock` to build the
wheel with. The first line of each names the declaration that it was made from, so that the check needs no
network.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import CACHE, ROOT, ToolError
from tools.progress import run
from tools.python_environment import UV_ENV, find_uv
from tools.stamp import fingerprint

_PYPROJECT = ROOT / "pyproject.toml"
_BUILD_SYSTEM = CACHE / "build-system.in"
_DEVELOPMENT = ROOT / "requirements.lock"
_SELECTIONS: dict[Path, list[str | Path]] = {
    _DEVELOPMENT: [_PYPROJECT, "--all-extras", "--group", "dev"],
    ROOT / "service" / "requirements.lock": [_PYPROJECT, "--constraint", _DEVELOPMENT],
    ROOT / "service" / "build.lock": [_BUILD_SYSTEM, "--constraint", _DEVELOPMENT, "--no-annotate"],
}


def _first_line(declared: dict[str, Any]) -> str:
    project = declared["project"]
    shaping = [
        project["requires-python"],
        project["dependencies"],
        project["optional-dependencies"],
        declared["dependency-groups"],
        declared["build-system"]["requires"],
    ]
    return f"# Dependencies of pyproject.toml: {fingerprint(json.dumps(shaping, sort_keys=True))}\n"


def lock(*, upgrade: bool) -> None:
    """Write both locks, keeping the releases that they hold unless asked to upgrade.

    Raises:
        ToolError: The dependencies cannot be resolved.
    """
    uv = find_uv()
    declared = tomllib.loads(_PYPROJECT.read_text())
    _BUILD_SYSTEM.write_text("\n".join(declared["build-system"]["requires"]))
    for path, selection in _SELECTIONS.items():
        command = [uv, "pip", "compile", *selection, "--output-file", path, "--universal"]
        command += ["--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
        command += ["--custom-compile-command", "make lock", *(["--upgrade"] if upgrade else [])]
        fix = "Check the network and the versions in pyproject.toml."
        run(f"Pins in {path.relative_to(ROOT)}", command, env=UV_ENV, fix=fix)
        path.write_text(_first_line(declared) + path.read_text())


def check() -> None:
    """Compare the dependencies that the locks were made from with those of today.

    Raises:
        ToolError: A lock belongs to other dependencies.
    """
    first_line = _first_line(tomllib.loads(_PYPROJECT.read_text()))
    stale = [path for path in _SELECTIONS if not path.read_text().startswith(first_line)]
    if stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        raise ToolError(
            f"{names} was made from other dependencies than pyproject.toml has now. Run: make lock"
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
