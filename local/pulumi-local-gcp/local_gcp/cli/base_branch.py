"""Another commit of the project, checked out beside the working tree, to be brought up and compared with."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from local_gcp.errors import SetupError

_GIT_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class BaseBranch:
    """A commit that is checked out.

    Attributes:
        reference: The branch, tag or commit that was asked for.
        commit: Its hash.
        project: The folder of its `Pulumi.yaml`.
        python_path: Where its program finds its own packages: what is imported from the working tree now.
    """

    reference: str
    commit: str
    project: Path
    python_path: str


@contextmanager
def checked_out(project: Path, stack: str, reference: str) -> Iterator[BaseBranch]:
    """Check a commit out into a temporary folder, which is gone again in the end.

    Args:
        project: The folder of `Pulumi.yaml` in the working tree.
        stack: The stack that it must have.
        reference: A branch, a tag or a commit.

    Raises:
        SetupError: Git does not know it, or it has no such stack.
    """
    top = Path(_git(project, "rev-parse", "--show-toplevel")).resolve()
    try:
        commit = _git(project, "rev-parse", "--verify", "--end-of-options", f"{reference}^{{commit}}")
    except SetupError as error:
        raise SetupError(f"{error}; fetch {reference!r} first, or name another base") from None
    with tempfile.TemporaryDirectory(prefix="local-gcp-base-") as directory:
        tree = Path(directory).resolve() / top.name
        _git(top, "worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            base = tree / project.relative_to(top)
            if not (base / "Pulumi.yaml").exists() or not (base / f"Pulumi.{stack}.yaml").exists():
                raise SetupError(
                    f"{reference!r} has no stack {stack!r}, so there is nothing to compare with: "
                    "leave out --base, and the preview says what a new stack makes"
                )
            # Before the link: what is installed is found without, and after the standard library.
            python_path = os.pathsep.join(_moved(top, tree))
            _link_environment(project, base)
            yield BaseBranch(reference, commit, base, python_path)
        finally:
            _git(top, "worktree", "remove", "--force", str(tree))


def _link_environment(project: Path, base: Path) -> None:
    """Let the program run in the project's own Python environment, which no commit has."""
    runtime = yaml.safe_load((base / "Pulumi.yaml").read_text(encoding="utf-8")).get("runtime")
    options = runtime.get("options") or {} if isinstance(runtime, dict) else {}
    name = str(options.get("virtualenv") or "")
    if name and (project / name).is_dir() and not (base / name).exists():
        (base / name).symlink_to((project / name).resolve())


def _moved(top: Path, tree: Path) -> Iterator[str]:
    """Return the folders of the working tree that this process imports from, as they are in the commit."""
    for each in sys.path:
        path = Path(each or ".").resolve()
        if path.is_relative_to(top) and (found := tree / path.relative_to(top)).is_dir():
            yield str(found)


def _git(folder: Path, *command: str) -> str:
    """Return what a command of Git prints. No hook runs.

    Raises:
        SetupError: It fails, or there is no Git.
    """
    try:
        answer = subprocess.run(  # our own command line, no shell
            ["git", "-c", f"core.hooksPath={os.devnull}", *command],  # noqa: S607 # the user's own Git
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"`git {command[0]}` does not run: {error}") from None
    if answer.returncode:
        raise SetupError(f"`git {command[0]}` failed in {folder}: {' '.join(answer.stderr.split())}")
    return answer.stdout.strip()
