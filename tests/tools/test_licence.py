"""A stranger may use the project and knows how to report a vulnerability."""

import hashlib
import re
import subprocess
import sys
from email import message_from_string
from email.message import Message
from pathlib import Path
from typing import Final

import pytest

from tools import ROOT

# The text of https://www.apache.org/licenses/LICENSE-2.0.txt: GitHub and scanners know it by its words alone.
_APACHE_2_0: Final = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
_SECONDS: Final = 60


def _distributions() -> list[str]:
    """Return the folder of each distribution in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*pyproject.toml"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=_SECONDS)
    return [
        str(Path(name).parent)
        for name in listed.stdout.splitlines()
        if "[project]" in (ROOT / name).read_text()
    ]


def _metadata(folder: Path, target: Path) -> Message:
    """Return what a wheel of a distribution says of itself."""
    prepare = "import sys; from hatchling.build import *; prepare_metadata_for_build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", prepare, target], cwd=folder, check=True, timeout=_SECONDS)
    (metadata,) = target.glob("*.dist-info/METADATA")
    return message_from_string(metadata.read_text("utf-8"))


@pytest.mark.parametrize("distribution", _distributions())
def test_each_distribution_brings_its_licence(distribution: str, tmp_path: Path) -> None:
    """Its metadata names the licence, the authors and its types, and its wheel has the licence's own text."""
    metadata = _metadata(ROOT / distribution, tmp_path)
    text = (ROOT / distribution / "LICENSE").read_bytes()

    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert hashlib.sha256(text).hexdigest() == _APACHE_2_0
    assert metadata["Author"] == "The project's authors"
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])


def test_the_first_page_leads_to_licence_and_security() -> None:
    """Where GitHub looks for them, too."""
    readme = (ROOT / "README.md").read_text("utf-8")
    security = (ROOT / "SECURITY.md").read_text("utf-8")

    assert {"LICENSE", "SECURITY.md"} <= set(re.findall(r"\]\(([\w.]+)\)", readme))
    assert "Report a vulnerability" in security
    assert re.findall(r"^## (.+)", security, re.MULTILINE) == [
        "Report a vulnerability",
        "Supported versions",
        "Scope",
    ]
