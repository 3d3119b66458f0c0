"""Without an identity a pull request is compared with what the program of the base branch makes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from local_gcp.cli.base_branch import checked_out
from tools import ROOT

GIT: Final = {
    "GIT_AUTHOR_NAME": "somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.com",
    "GIT_COMMITTER_NAME": "somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
# What the program of a stack is made of.
PARTS: Final = ("infra", "local", "service", "migrations", "docs", "tools")


def _git(folder: Path, *command: str) -> str:
    answer = subprocess.run(
        ["git", *command],
        cwd=folder,
        env=os.environ | GIT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return answer.stdout.strip()


def _preview(clone: Path, *arguments: str) -> tuple[int, str]:
    """Preview as `make preview` does in a checkout: all that is imported is the checkout's own."""
    ours = [Path(each) for each in sys.path if Path(each).is_relative_to(ROOT)]
    theirs = [clone / each.relative_to(ROOT) for each in ours if not each.is_relative_to(ROOT / ".venv")]
    answer = subprocess.run(
        [sys.executable, "-m", "tools.local_stack", "preview", *arguments],
        cwd=clone,
        env=os.environ | GIT | {"PYTHONPATH": os.pathsep.join(map(str, theirs))},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr


@pytest.fixture
def steps() -> list[dict[str, Any]]:
    """Return the steps of the job for pull requests that get no identity."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "preview.yml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = workflow["jobs"]["without-credentials"]["steps"]
    return found


@pytest.fixture
def checkout(tmp_path: Path, steps: list[dict[str, Any]]) -> Path:
    """Return what the job checks out: GitHub's merge of a pull request that renames a topic.

    The base's program also needs a module that the pull request takes away.
    """
    repository = tmp_path / "repository"
    repository.mkdir()
    for part in PARTS:
        shutil.copytree(ROOT / part, repository / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (*ROOT.glob("Pulumi*.yaml"), ROOT / "topology.yaml"):
        shutil.copy(file, repository)
    (repository / ".gitignore").write_text(".venv\n.tools\n__pycache__/\n")
    program, module = repository / "infra" / "__main__.py", repository / "service" / "event_store" / "past.py"
    present = program.read_text()
    program.write_text(f"import event_store.past\n{present}")
    module.touch()
    _git(repository, "init", "--quiet", "--initial-branch", "main")
    _git(repository, "add", "--all")
    _git(repository, "commit", "--quiet", "--message", "base")
    _git(repository, "checkout", "--quiet", "-b", "fork")
    program.write_text(present)
    module.unlink()
    topology = repository / "topology.yaml"
    topology.write_text(topology.read_text().replace("progress-events", "headway-events"))
    _git(repository, "commit", "--quiet", "--all", "--message", "rename a topic")
    _git(repository, "checkout", "--quiet", "main")
    (repository / "later").touch()
    _git(repository, "add", "--all")
    _git(repository, "commit", "--quiet", "--message", "later")
    _git(repository, "merge", "--quiet", "--no-ff", "--message", "merge", "fork")

    depth = str(steps[0]["with"]["fetch-depth"])
    clone = tmp_path / "checkout"
    _git(tmp_path, "clone", "--quiet", "--depth", depth, f"file://{repository}", str(clone))
    _git(clone, "update-ref", "-d", "refs/remotes/origin/main")  # the job has nothing but the merge
    for linked in (".venv", ".tools"):
        (clone / linked).symlink_to((ROOT / linked).resolve())
    return clone


def test_a_fork_that_loses_data_is_refused(checkout: Path, steps: list[dict[str, Any]]) -> None:
    """By the job's own commands; the first line says what was compared, and without the change is none."""
    (naming,) = (each["run"] for each in steps if each.get("run", "").startswith("git "))
    (preview,) = (each["run"] for each in steps if each.get("run", "").startswith("make preview"))
    found = re.search(r'ARGS="([^"]*)"', preview)
    assert found is not None
    flags = found[1].split()
    _git(checkout, *naming.split()[1:])
    base = _git(checkout, "rev-parse", "HEAD^1")

    code, said = _preview(checkout, "prod", *flags)
    written = (checkout / "preview.md").read_text()
    _git(checkout, "checkout", "--quiet", "HEAD^1", "--", "topology.yaml")
    same = _preview(checkout, "prod", *flags)

    assert code == 1
    assert written.splitlines()[0] == (
        "## `prod`: refused, 1 change would lose data (compared with the program of `origin/main` at "
        f"`{base[:12]}` on the local Google Cloud)"
    )
    assert "**delete `bus-progress-events`**" in written
    assert written in said
    assert same[0] == 0, same[1]
    assert "## `prod`: no change (compared with the program of `origin/main`" in same[1]
    assert len(_git(checkout, "worktree", "list").splitlines()) == 1


def test_a_base_finds_its_own_packages_and_no_installed_ones(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is installed in the working tree's own environment stays behind the standard library."""
    installed = checkout / ".venv" / "lib" / "site-packages"
    (checkout / ".venv").unlink()
    installed.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*map(str, (checkout, checkout / "service", installed)), "/elsewhere"])
    with checked_out(checkout, "prod", "HEAD^1") as base:
        found = [Path(each).relative_to(base.project) for each in base.python_path.split(os.pathsep)]
        assert (base.project / ".venv").resolve() == (checkout / ".venv").resolve()

    assert found == [Path(), Path("service")]


def test_a_base_that_cannot_be_compared_with_is_told(checkout: Path) -> None:
    """One without the stack, one that is unknown, one that fails, and a real state: each is one message."""
    shutil.copy(checkout / "Pulumi.dev.yaml", checkout / "Pulumi.qa.yaml")
    new = _preview(checkout, "qa", "--local", "--base", "HEAD^1")
    unknown = _preview(checkout, "prod", "--local", "--base", "origin/main")
    real = _preview(checkout, "prod", "--base", "HEAD^1")
    program = checkout / "infra" / "__main__.py"
    works = program.read_text()
    program.write_text("raise ValueError('the base is broken')\n")
    _git(checkout, "commit", "--quiet", "--all", "--message", "break it")
    program.write_text(works)
    broken = _preview(checkout, "prod", "--local", "--base", "HEAD")

    assert [each[0] for each in (new, unknown, real, broken)] == [1, 1, 1, 1]
    assert (
        "error: 'HEAD^1' has no stack 'qa', so there is nothing to compare with: leave out --base" in new[1]
    )
    assert "fetch 'origin/main' first, or name another base" in unknown[1]
    assert "error: --base needs --local" in real[1]
    assert "error: the program of 'HEAD' does not come up, so there is nothing to compare with" in broken[1]
    assert "the base is broken" in broken[1]
    assert len(_git(checkout, "worktree", "list").splitlines()) == 1
