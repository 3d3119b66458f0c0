"""Find strings in the repository's files that belong to one machine or network."""

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import ROOT

# Users choose their package registry: a lock that names one fails behind a mirror.
_REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|(?:proxy|sum)\.golang\.org|--(?:extra-)?index-url"
)
_PERSONAL_PATH = re.compile(r"(?<![\w.])/(?:root|(?:home|Users)/[\w.-]+)/\w")


def findings() -> list[str]:
    """Search every file that git tracks or would add; return `path:line: finding`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.is_file() or path == Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            if match := _REGISTRY.search(line):
                found.append(f"{name}:{number}: names a package registry or its option: {match[0]}")
            elif (match := _PERSONAL_PATH.search(line)) or f"{ROOT}/" in line:
                found.append(f"{name}:{number}: names a path of one machine: {match[0] if match else ROOT}")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(findings()) or 0)
