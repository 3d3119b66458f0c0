"""The set-up: what it does again and what it leaves alone, and what it says when it cannot go on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import CACHE, ROOT
from tools.stamp import Stamp, fingerprint


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone that has nothing but its tools."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(ROOT / "tools", tmp_path / "clone" / "tools", ignore=ignored)).parent


def _python(clone: Path, code: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=clone,
        env={"PATH": path, "HOME": str(clone)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_step_is_done_again_when_its_inputs_or_results_change(tmp_path: Path) -> None:
    """A stamp stands for the same inputs only, and only while the result is there."""
    source, result = tmp_path / "source", tmp_path / "result"
    source.write_text("one")
    result.touch()
    first = Stamp("step", fingerprint(source), tmp_path)
    assert not first.is_current(result)
    first.write()
    assert first.is_current(result)

    source.write_text("two")
    assert not Stamp("step", fingerprint(source), tmp_path).is_current(result)
    result.unlink()
    assert not first.is_current(result)


def test_a_pulumi_on_path_is_used_as_it_is(clone: Path) -> None:
    """A CLI of the user's own that is new enough is linked, not built again."""
    own = CACHE / "pulumi" / "bin"
    answer = _python(
        clone, "from tools import pulumi_cli; pulumi_cli.ensure()", path=f"{own}{os.pathsep}/bin"
    )

    assert answer.returncode == 0, answer.stderr
    assert (clone / ".tools" / "pulumi" / "bin" / "pulumi").readlink() == own / "pulumi"


def test_without_pulumi_and_go_the_user_hears_of_both(clone: Path) -> None:
    """Where neither is there nor can be fetched, the message names the two ways out."""
    answer = _python(clone, "from tools import pulumi_cli; pulumi_cli.ensure()", path="")

    assert "install the Pulumi CLI" in answer.stderr
    assert "install Go 1.26 or newer" in answer.stderr


def test_without_actionlint_and_go_the_user_hears_of_both(clone: Path) -> None:
    """The check of the workflows alone needs it, and names the two ways out."""
    answer = _python(clone, "from tools import workflows; raise SystemExit(workflows.main())", path="")

    assert answer.returncode == 1
    assert "install actionlint" in answer.stderr
    assert "install Go 1.21 or newer" in answer.stderr


def test_without_buf_and_go_the_user_hears_of_both(clone: Path) -> None:
    """The check of the contract alone needs it, and names the two ways out."""
    (clone / "service" / "released").mkdir(parents=True)
    (clone / "service" / "released" / "0.1.0.binpb").touch()
    answer = _python(
        clone, "from tools import contract_rules; raise SystemExit(contract_rules.main())", path=""
    )

    assert answer.returncode == 1
    assert "install buf" in answer.stderr
    assert "install Go 1.21 or newer" in answer.stderr


def test_a_failed_step_shows_the_end_of_its_log(clone: Path) -> None:
    """The error holds what the command said last, where all of it is, and what to do."""
    command = ["sh", "-c", "echo bad news; exit 3"]
    answer = _python(
        clone, f"from tools.progress import run; run('Greeting (short)', {command}, fix='Try again.')"
    )

    assert answer.stdout == "Greeting (short)\n"
    assert "exit code 3. The end of .tools/log/greeting.log:\n  | bad news\nTry again." in answer.stderr


def test_a_step_that_hangs_is_ended(clone: Path) -> None:
    """A command never runs beyond its time, and does not outlive its step."""
    command = ["sh", "-c", "echo $$; exec sleep 60"]
    code = f"from tools.progress import run; run('Hanging', {command}, fix='Wait.', timeout_seconds=0.2)"
    answer = _python(clone, code)

    assert "gave up" in answer.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int((clone / ".tools" / "log" / "hanging.log").read_text()), 0)
