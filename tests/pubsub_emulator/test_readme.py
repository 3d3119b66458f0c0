"""The emulator's README: its Python runs as pasted, and each behaviour that it lists has its test."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.documents import blocks
from tools import ROOT

README: Final = ROOT / "local" / "pubsub-emulator" / "README.md"
PATIENCE_SECONDS: Final = 60


def _run(folder: Path, *command: str) -> str:
    answer = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_the_fixture_works_as_pasted(tmp_path: Path) -> None:
    """The line for conftest.py and the test below it are a suite that passes."""
    line, suite, _ = blocks(README, "python")
    (tmp_path / "conftest.py").write_text(line)
    (tmp_path / "test_words.py").write_text(suite)

    assert "1 passed" in _run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_the_program_works_as_pasted(tmp_path: Path) -> None:
    """It starts an emulator of its own and ends."""
    *_, program = blocks(README, "python")
    (tmp_path / "example.py").write_text(program)

    assert re.fullmatch(r"PUBSUB_EMULATOR_HOST is 127\.0\.0\.1:\d+\n", _run(tmp_path, "example.py"))


def test_each_behaviour_that_is_listed_has_its_test() -> None:
    """A test that was renamed or deleted takes its line along."""
    listed = re.findall(r"^\| [^|]+ \| `(\S+)::(\S+)` \|$", README.read_text(), re.MULTILINE)
    rows = re.findall(r"^\| [^|]+ \| `[^`]*test_\S+` \|$", README.read_text(), re.MULTILINE)

    assert len(listed) == len(rows) > 30
    assert [
        (file, name)
        for file, name in listed
        if f"def {name}(" not in (ROOT / "tests" / "pubsub_emulator" / file).read_text()
    ] == []
