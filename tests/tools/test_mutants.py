"""The list of mutants is in order, and its driver finds those that no test notices."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tools import ROOT
from tools.mutants.mutant import load

LEAST_MUTANTS = 150
MOST_ACCEPTED = 0.05  # of all
_SECONDS = 60
_RUN = "import sys, pathlib, tools.mutants.__main__ as it; sys.exit(it.main(pathlib.Path('{}')))"

_ENTRY = """
- name: {name}
  file: service/event_store/sums.py
  old: {old}
  new: {new}
  why: sums are wrong
  tests: [tests/test_sums.py]
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small tree, committed, with one module of which a test sees half; temporary files go next to it."""
    root = tmp_path / "tree"
    for folder in ("service/event_store", "tests/tools/mutants"):
        (root / folder).mkdir(parents=True)
    (root / "service/event_store/__init__.py").touch()
    (root / "service/event_store/sums.py").write_text(
        "def add(a, b):\n    return a + b\n\n\ndef double(a):\n    return 2 * a\n"
    )
    (root / "tests/test_sums.py").write_text(
        "from event_store.sums import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    )
    _git(root, "init", "-q", "-b", "main")
    _git(root, "add", ".")
    _git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "tree: begin")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return root


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, timeout=_SECONDS)


def _list(tree: Path, *entries: str) -> None:
    (tree / "tests/tools/mutants/sums.yaml").write_text("".join(entries))


def _extend(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def _run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _RUN.format(tree), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS, check=False)


NOTICED = _ENTRY.format(name="subtracts", old="a + b", new="a - b")
UNNOTICED = _ENTRY.format(name="triples", old="2 * a", new="3 * a")


def test_every_mutant_of_the_list_can_be_made_and_has_its_tests() -> None:
    """The `old` of each is in its file exactly once, the result compiles, and the tests are there."""
    assert [fault for mutant in load(ROOT) for fault in mutant.faults(ROOT)] == []


def test_the_list_is_long_and_accepts_few() -> None:
    """It has mutants of every part of the product, and at most one of twenty may survive, for a reason."""
    mutants = load(ROOT)
    parts = {Path(mutant.file).parts[0] for mutant in mutants}

    assert len(mutants) >= LEAST_MUTANTS
    assert {"infra", "local", "migrations", "service"} <= parts
    assert sum(mutant.accepted != "" for mutant in mutants) <= MOST_ACCEPTED * len(mutants)


def test_a_mutant_that_a_test_notices_and_one_that_none_does(tree: Path, tmp_path: Path) -> None:
    """The survivor is named with its fault, the exit code is 1, and the user's tree is as it was."""
    _list(tree, NOTICED, UNNOTICED)
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}

    answer = _run(tree, "--all", "--jobs", "2")

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert re.search(r"noticed +sums/subtracts .* tests/test_sums.py::test_add", answer.stdout)
    assert "survived: sums/triples\n  service/event_store/sums.py: sums are wrong" in answer.stdout
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_survivor_that_the_list_accepts_is_no_failure(tree: Path) -> None:
    """It is printed with its reason all the same."""
    _list(tree, NOTICED, UNNOTICED + "  accepted: nobody doubles\n")

    answer = _run(tree, "--all")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "accepted: nobody doubles" in answer.stdout


def test_without_options_only_what_a_change_touched_is_made(tree: Path) -> None:
    """That is a mutant whose file, test or entry differs from the base, with what is not committed."""
    _list(tree, NOTICED)
    _git(tree, "add", ".")
    _git(tree, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "tree: list a mutant")

    untouched = _run(tree, "--since", "main")
    _list(tree, NOTICED, _ENTRY.format(name="divides", old="a + b", new="a / b"))
    listed = _run(tree, "--since", "main")
    _extend(tree / "tests/test_sums.py", "\n# Changed.\n")
    touched = _run(tree, "--since", "main")

    assert (untouched.returncode, "no mutant" in untouched.stdout) == (0, True)
    assert re.findall(r"sums/\w+", listed.stdout) == ["sums/divides"]
    assert re.findall(r"sums/\w+", touched.stdout) == ["sums/subtracts", "sums/divides"]


def test_a_stale_entry_is_an_error(tree: Path) -> None:
    """Whether its text is gone or there more than once: nothing is run."""
    _list(
        tree,
        _ENTRY.format(name="gone", old="a * b", new="a"),
        _ENTRY.format(name="twice", old="def", new="x"),
    )

    answer = _run(tree, "--all")

    assert answer.returncode == 1
    assert "sums/gone is stale: its `old` is in service/event_store/sums.py 0 times" in answer.stderr
    assert "sums/twice is stale: its `old` is in service/event_store/sums.py 2 times" in answer.stderr
    assert answer.stdout == ""


def test_a_test_that_fails_without_the_mutant_notices_nothing(tree: Path) -> None:
    """Its mutants have no verdict, and that is a failure."""
    _list(tree, NOTICED)
    _extend(tree / "tests/test_sums.py", "\n\ndef test_wrong():\n    assert add(1, 1) == 3\n")

    answer = _run(tree, "--all")

    assert answer.returncode == 1
    assert "UNKNOWN  sums/subtracts  fails without it: tests/test_sums.py::test_wrong" in answer.stdout


def test_a_mutant_that_hangs_its_tests_is_ended_in_time(tree: Path) -> None:
    """It counts as noticed: the suite's own tests are bounded in time, so whoever runs them sees it."""
    _list(tree, _ENTRY.format(name="hangs", old="a + b", new="__import__('time').sleep(3600)"))

    answer = _run(tree, "--all", "--limit-seconds", "5")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(r"noticed +sums/hangs .* timed out", answer.stdout)


def test_an_interrupted_run_leaves_nothing_behind(tree: Path, tmp_path: Path) -> None:
    """Its tests are ended and its copies deleted."""
    started = tmp_path / "started"
    (tree / "tests/test_sums.py").write_text(
        "import os, time\nfrom pathlib import Path\n\n\ndef test_long():\n"
        f"    Path('{started}.new').write_text(str(os.getpid()))\n"
        f"    os.rename('{started}.new', '{started}')\n    time.sleep({_SECONDS})\n"
    )
    _list(tree, NOTICED)
    with tempfile.TemporaryFile() as said:
        command = [sys.executable, "-c", _RUN.format(tree), "--all"]
        driver = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        try:
            while not started.exists():
                assert driver.poll() is None
                with pytest.raises(subprocess.TimeoutExpired):
                    driver.wait(0.05)
            driver.send_signal(signal.SIGINT)

            assert driver.wait(_SECONDS) == 130
        finally:
            driver.kill()
            driver.wait()
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    assert list((tmp_path / "tmp").iterdir()) == []
