"""A release is whole: its files are built and checked, its version is one, its changelog says what to do."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tools import ROOT, SOURCES, ToolError, release

CHANGELOG = """# Changelog

## 0.2.0 - 2026-12-01

### Added

- A word.

{}## 0.1.0

### Migrations

- None.
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of what declares the distributions, to change."""
    for source in SOURCES:
        (tmp_path / source).mkdir(parents=True)
        shutil.copy(ROOT / source / "pyproject.toml", tmp_path / source)
    monkeypatch.setattr(release, "ROOT", tmp_path)
    return tmp_path


def test_every_file_of_a_release_is_right(tmp_path: Path) -> None:
    """Wheels and source distributions of all, each source distribution making the very same wheel."""
    release.make(tmp_path)

    assert len([*(tmp_path).glob("*.whl")]) == len([*(tmp_path).glob("*.tar.gz")]) == len(SOURCES)


def test_a_wheel_with_a_stranger_at_its_top_is_refused(tmp_path: Path) -> None:
    """It would shadow a package of the user's own, or be shadowed by it."""
    source = "local/pubsub-emulator"
    wheel, sdist = (release.build(kind, ROOT / source, tmp_path) for kind in ("wheel", "sdist"))
    assert [*release.faults(wheel, sdist, source)] == []

    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("migrations/__init__.py", "")
    top, other = release.faults(wheel, sdist, source)
    assert "has at its top migrations, pubsub_emulator" in top
    assert "does not make the same wheel: migrations/__init__.py" in other


def test_the_distributions_have_one_version() -> None:
    """And need each other in it."""
    assert release.version()


@pytest.mark.parametrize(
    ("source", "old", "new", "said"),
    [
        ("infra", 'version = "', 'version = "9', r"have the versions .*: set one in all"),
        ("infra", '"gcp-event-store~=', '"gcp-event-store>=', r"write gcp-event-store~="),
        (
            "local/pulumi-local-gcp",
            '"pubsub-emulator[export]~=',
            '"pubsub-emulator[export]>=',
            "pubsub-emulator~=",
        ),
    ],
)
def test_versions_that_do_not_agree_are_refused(
    tree: Path, source: str, old: str, new: str, said: str
) -> None:
    """With what to write instead."""
    file = tree / source / "pyproject.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))

    with pytest.raises(ToolError, match=said):
        release.version()


def test_what_is_not_committed_is_not_released(tree: Path) -> None:
    """Not even a new file, which a wheel would hold; nor does a release change what has a tag."""

    def git(*arguments: str) -> None:
        own = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *own, *arguments], cwd=tree, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "--message=All")
    release.check_commit("0.2.0")

    (tree / "service" / "new.py").touch()
    with pytest.raises(ToolError, match=r"(?s)not committed.*service/new\.py"):
        release.check_commit("0.2.0")
    (tree / "service" / "new.py").unlink()
    git("tag", "v0.2.0")
    with pytest.raises(ToolError, match=r"there is a tag v0\.2\.0"):
        release.check_commit("0.2.0")


def test_the_image_that_infra_shows_holds_this_release(tree: Path) -> None:
    """Not whichever is newest on the day that it is built."""
    shutil.copy(ROOT / "infra" / "README.md", tree / "infra")

    release.check_page(release.version())
    with pytest.raises(ToolError, match=r"install \"gcp-event-store\[server\]~=9\.0\.0\""):
        release.check_page("9.0.0")


def test_a_release_says_what_it_changes_and_what_to_do(tree: Path) -> None:
    """Its section of the changelog goes into the tag; without "Migrations" there is no release."""
    (tree / "CHANGELOG.md").write_text(CHANGELOG.format("### Migrations\n\n- Run it.\n\n"))
    assert release.section("0.2.0") == "### Added\n\n- A word.\n\n### Migrations\n\n- Run it."

    (tree / "CHANGELOG.md").write_text(CHANGELOG.format(""))
    with pytest.raises(ToolError, match=r'0\.2\.0 of CHANGELOG\.md has no "Migrations"'):
        release.section("0.2.0")
    with pytest.raises(ToolError, match=r"no section 0\.3\.0"):
        release.section("0.3.0")
