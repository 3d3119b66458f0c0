"""Pins the dependencies of pyproject.toml, or with --check tells whether the pins belong to it.

Two locks: `requirements.lock` for a clone and its tests, `service/requirements.lock` for the image, which
holds the same releases without Pulumi and development tools. The first line of each names the dependencies
that it was made from, so that the check needs no network.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import ROOT, ToolError
from tools.progress import run
from tools.python_environment import UV_ENV, find_uv
from tools.stamp import fingerprint

_DEVELOPMENT = ROOT / "requirements.lock"
_IMAGE = ROOT / "service" / "requirements.lock"
_SELECTIONS = {
    _DEVELOPMENT: ["--all-extras", "--group", "dev"],
    _IMAGE: ["--constraint", "requirements.lock"],
}


def _first_line() -> str:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = declared["project"]
    shaping = [
        project["requires-python"],
        project["dependencies"],
        project["optional-dependencies"],
        declared["dependency-groups"],
    ]
    return f"# Dependencies of pyproject.toml: {fingerprint(json.dumps(shaping, sort_keys=True))}\n"


def lock(*, upgrade: bool) -> None:
    """Write both locks, keeping the releases that they hold unless asked to upgrade.

    Raises:
        ToolError: The dependencies cannot be resolved.
    """
    uv = find_uv()
    for path, selection in _SELECTIONS.items():
        name = str(path.relative_to(ROOT))
        command: list[str | Path] = [
            uv,
            "pip",
            "compile",
            "pyproject.toml",
            "--output-file",
            name,
            *selection,
            "--universal",
        ]
        command += ["--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
        command += ["--custom-compile-command", "make lock", *(["--upgrade"] if upgrade else [])]
        run(
            f"Pins in {name}",
            command,
            env=UV_ENV,
            fix="Check the network and the versions in pyproject.toml.",
        )
        path.write_text(_first_line() + path.read_text())


def check() -> None:
    """Compare the dependencies that the locks were made from with those of today.

    Raises:
        ToolError: A lock belongs to other dependencies.
    """
    stale = [path for path in _SELECTIONS if not path.read_text().startswith(_first_line())]
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
