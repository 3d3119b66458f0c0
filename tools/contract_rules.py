"""Check the contract with buf: style, comments, and compatibility with every release.

The rules are in `service/buf.yaml`. `service/released/` keeps a descriptor of each release, so the check
needs neither git's history nor the network. `--keep VERSION` writes a release's descriptor.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import CACHE, ROOT, ToolError, go

_MODULE = ROOT / "service"
_RELEASED = _MODULE / "released"


def _buf(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    buf = go.find_or_build(
        "github.com/bufbuild/buf/cmd/buf",
        install="https://buf.build/docs/cli/installation/",
        duration="one to three minutes, once",
    )
    return subprocess.run(
        [buf, *arguments],
        cwd=_MODULE,
        env=os.environ | {"BUF_CACHE_DIR": str(CACHE / "buf" / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )


def check() -> list[str]:
    """Return the faults of the contract.

    Raises:
        ToolError: buf is not available, or no release is kept.
    """
    released = sorted(_RELEASED.glob("*.binpb"))
    if not released:
        raise ToolError(f"{_RELEASED.relative_to(ROOT)} keeps no release to compare the contract with")
    found = [
        ("its form is not buf's: run `buf format -w service/proto`", _buf("format", "--diff", "--exit-code")),
        ("its rules are those of service/buf.yaml", _buf("lint")),
    ]
    for descriptor in released:
        broken = f"who uses release {descriptor.stem} breaks"
        found.append((broken, _buf("breaking", "--against", descriptor)))
    return [f"{what}:\n{said.stdout}{said.stderr}" for what, said in found if said.returncode]


def keep(version: str) -> None:
    """Write the descriptor of a release; overwrite an existing one.

    Raises:
        ToolError: The version is invalid, buf is not available, or the contract does not compile.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ToolError(f"invalid version {version!r}: use three numbers, as in 0.1.0")
    _RELEASED.mkdir(exist_ok=True)
    target = _RELEASED / f"{version}.binpb"
    answer = _buf("build", "--exclude-source-info", "--output", target)
    if answer.returncode:
        raise ToolError(f"the contract does not compile:\n{answer.stderr.strip()}")


def main() -> int:
    """Check or keep."""
    parser = argparse.ArgumentParser(prog="tools/contract_rules.py", description=__doc__)
    parser.add_argument("--keep", metavar="VERSION", help="write the descriptor of a release")
    version = parser.parse_args().keep
    try:
        if version is not None:
            keep(version)
            return 0
        found = check()
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(found), end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
