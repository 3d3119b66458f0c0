"""A checkout of another commit of the project beside the working tree, for a comparison."""

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
    """A checked-out commit.

    Attributes:
        reference: The branch, tag or commit that was asked for.
        commit: The commit's hash.
        project: The folder of the commit's `Pulumi.yaml`.
        python_path: The commit's folders that correspond to those of the working tree on `sys.path`.
    """

    reference: str
    commit: str
    project: Path
    python_path: str


@contextmanager
def checked_out(project: Path, stack: str, reference: str) -> Iterator[BaseBranch]:
    """Check a commit out into a temporary folder, which is removed when the context ends.

    Args:
        project: The folder of `Pulumi.yaml` in the working tree.
        stack: The stack that the commit must have.
        reference: A branch, a tag or a commit.

    Raises:
        SetupError: Git does not find the reference, or the commit does not have the stack.
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
            # Before the link: installed packages are found without it, and after the standard library.
            python_path = os.pathsep.join(_moved(top, tree))
            _link_environment(project, base)
            yield BaseBranch(reference, commit, base, python_path)
        finally:
            _git(top, "worktree", "remove", "--force", str(tree))


def _link_environment(project: Path, base: Path) -> None:
    """Link the project's Python environment into the checkout, since no commit contains it."""
    runtime = yaml.safe_load((base / "Pulumi.yaml").read_text(encoding="utf-8")).get("runtime")
    options = runtime.get("options") or {} if isinstance(runtime, dict) else {}
    name = str(options.get("virtualenv") or "")
    if name and (project / name).is_dir() and not (base / name).exists():
        (base / name).symlink_to((project / name).resolve())


def _moved(top: Path, tree: Path) -> Iterator[str]:
    """Yield the commit's counterparts of the working tree's folders on `sys.path`."""
    for each in sys.path:
        path = Path(each or ".").resolve()
        if path.is_relative_to(top) and (found := tree / path.relative_to(top)).is_dir():
            yield str(found)


def _git(folder: Path, *command: str) -> str:
    """Return the output of a Git command. Hooks are disabled.

    Raises:
        SetupError: The command fails, or Git is not installed.
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
