"""Build and check a release: a wheel and a source distribution of each distribution.

The files are written to `dist/`. With --tag the commit gets the tag `vVERSION`, with the changelog's section
as its message. Nothing is published: the owner decides how.
"""

import argparse
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import ROOT, SOURCES, ToolError

_BUILD_SECONDS = 60
_HATCHLING = "import sys; from hatchling.build import *; {}(sys.argv[1])"


def declared(source: str) -> dict[str, Any]:
    """Return the `project` table of a distribution's pyproject.toml.

    Args:
        source: The distribution's folder, one of `SOURCES`.
    """
    project: dict[str, Any] = tomllib.loads((ROOT / source / "pyproject.toml").read_text())["project"]
    return project


def build(kind: str, project: Path, folder: Path) -> Path:
    """Build one file with the build backend of `.venv`, without network access.

    Args:
        kind: `wheel` or `sdist`.
        project: The folder of its pyproject.toml.
        folder: The output folder, without another file of the same name and kind.

    Returns:
        The path of the file.

    Raises:
        ToolError: The build fails.
    """
    before = {*folder.iterdir()}
    answer = subprocess.run(
        [sys.executable, "-c", _HATCHLING.format(f"build_{kind}"), str(folder)],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=_BUILD_SECONDS,
    )
    if answer.returncode:
        raise ToolError(f"the {kind} of {project} cannot be built:\n{answer.stderr.strip()}")
    (built,) = {*folder.iterdir()} - before
    return built


def version() -> str:
    """Return the common version of all distributions.

    Raises:
        ToolError: The versions differ, or one distribution requires another version of another.
    """
    projects = [declared(source) for source in SOURCES]
    versions = {project["version"] for project in projects}
    names = {project["name"] for project in projects}
    if len(versions) > 1:
        raise ToolError(f"the distributions have the versions {', '.join(sorted(versions))}: set one in all")
    (found,) = versions
    for project in projects:
        extras = project.get("optional-dependencies", {}).values()
        for requirement in (*project["dependencies"], *(each for extra in extras for each in extra)):
            name = re.split(r"[\[~=<>; ]", requirement)[0]
            if name in names and not requirement.endswith(f"~={found}"):
                raise ToolError(f"{project['name']} needs {requirement!r}: write {name}~={found}")
    return str(found)


def check_page(release: str) -> None:
    """Check that the image in infra/README.md installs the service of a release.

    Raises:
        ToolError: The image installs another version.
    """
    wanted = f'"gcp-event-store[server]~={release}"'
    if wanted not in (ROOT / "infra" / "README.md").read_text(encoding="utf-8"):
        raise ToolError(f"the Dockerfile of infra/README.md takes another release: let it install {wanted}")


def section(release: str) -> str:
    """Return the changelog's section of a release.

    Raises:
        ToolError: The section is missing, or has no "Migrations".
    """
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(release)}\b.*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ToolError(f"CHANGELOG.md has no section {release}: move what is under Unreleased there")
    if "### Migrations" not in found[1]:
        raise ToolError(
            f'the section {release} of CHANGELOG.md has no "Migrations": say what a user has to do'
        )
    return found[1].strip()


def _check_contract(release: str) -> None:
    if not (ROOT / "service" / "released" / f"{release}.binpb").exists():
        command = f"tools/contract_rules.py --keep {release}"
        raise ToolError(f"the contract of {release} is not kept for later releases: run {command}")


def faults(wheel: Path, sdist: Path, source: str) -> Iterator[str]:
    """Yield the faults of a distribution's files.

    Args:
        wheel: The wheel.
        sdist: The source distribution.
        source: The distribution's folder.
    """
    project = declared(source)
    (package,) = (path.parent.name for path in (ROOT / source).glob("*/py.typed"))
    files = _files(wheel)
    info = f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info"
    if (tops := {name.partition("/")[0] for name in files}) != {package, info}:
        yield f"{wheel.name} has at its top {', '.join(sorted(tops))}, not {package} alone"
    yield from (
        f"{wheel.name} lacks {name}"
        for name in (f"{package}/py.typed", f"{info}/licenses/LICENSE", f"{info}/METADATA")
        if name not in files
    )
    with zipfile.ZipFile(wheel) as archive:
        metadata = message_from_string(archive.read(f"{info}/METADATA").decode())
    told = (metadata["Name"], metadata["Version"], metadata["License-Expression"], metadata["Summary"])
    if told != (project["name"], project["version"], project["license"], project["description"]):
        yield f"{wheel.name} says of itself {told}"
    if metadata["Description-Content-Type"] != "text/markdown" or not str(metadata.get_payload()).strip():
        yield f"{wheel.name} has no README"
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        (unpacked,) = Path(folder).iterdir()
        again = _files(build("wheel", unpacked, Path(folder)))
    if again != files:
        yield f"{sdist.name} does not make the same wheel: {', '.join(sorted(again ^ files))}"


def _files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {*archive.namelist()}


def make(folder: Path) -> None:
    """Build and check every file of the release.

    Args:
        folder: The output folder; created, and emptied of earlier files.

    Raises:
        ToolError: A file cannot be built or has a fault.
    """
    folder.mkdir(exist_ok=True)
    for old in (*folder.glob("*.whl"), *folder.glob("*.tar.gz")):
        old.unlink()
    found: list[str] = []
    for source in SOURCES:
        wheel, sdist = (build(kind, ROOT / source, folder) for kind in ("wheel", "sdist"))
        found += faults(wheel, sdist, source)
        print(f"{wheel.name}  {sdist.name}", flush=True)
    if found:
        raise ToolError("\n".join(found))


def check_commit(release: str) -> None:
    """Check that the working tree equals the current commit, and that the tag is free.

    Raises:
        ToolError: There are uncommitted changes, or the tag exists.
    """
    if changes := _git("status", "--porcelain"):
        raise ToolError(f"there are changes that are not committed: commit or drop them\n{changes}")
    if _git("tag", "--list", f"v{release}"):
        raise ToolError(f"there is a tag v{release}: raise the version, a release never changes")


def tag(release: str) -> None:
    """Tag the current commit, with the changelog's section as the message.

    Raises:
        ToolError: Git fails to create the tag.
    """
    message = f"{release}\n\n{section(release)}"
    _git("tag", "--annotate", "--cleanup=verbatim", "--message", message, f"v{release}")
    print(f"Tagged v{release}")


def _git(*arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ToolError(f"git {arguments[0]}: {answer.stderr.strip()}")
    return answer.stdout.strip()


def main() -> int:
    """Build, check and, if told to, tag."""
    parser = argparse.ArgumentParser(prog="tools/release.py", description=__doc__)
    parser.add_argument("--tag", action="store_true", help="tag the commit")
    wants_tag = parser.parse_args().tag
    try:
        release = version()
        check_page(release)
        section(release)
        _check_contract(release)
        if wants_tag:
            check_commit(release)
        make(ROOT / "dist")
        if wants_tag:
            tag(release)
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
