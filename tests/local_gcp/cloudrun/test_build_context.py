"""An image's digest changes with what Docker would build from, and with nothing else."""

from pathlib import Path

import pytest

from local_gcp.container.build_context import context_files, context_hash


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in ("Dockerfile", "README.md", "app/main.py", "app/__pycache__/main.pyc", "node/deep/lib.js"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def _files(context: Path) -> list[str]:
    found = context_files(context, context / "Dockerfile")
    return sorted(path.relative_to(context).as_posix() for path in found)


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ("", ["Dockerfile", "README.md", "app/__pycache__/main.pyc", "app/main.py", "node/deep/lib.js"]),
        ("# all but one\n*\n!app\n**/__pycache__\n", ["app/main.py"]),
        ("*.md\nnode\n/app/*.py", [".dockerignore", "Dockerfile", "app/__pycache__/main.pyc"]),
        ("**/*.js\n**/*.pyc\nREADME.??", [".dockerignore", "Dockerfile", "app/main.py"]),
        ("app\n!app/main.py\nnode/**\nREADME.md", [".dockerignore", "Dockerfile", "app/main.py"]),
    ],
)
def test_dockerignore_is_read_as_docker_reads_it(context: Path, lines: str, left: list[str]) -> None:
    """The last pattern that matches a file or a folder of its decides."""
    if lines:
        (context / ".dockerignore").write_text(lines)

    assert _files(context) == left


def test_only_what_is_built_changes_the_hash(context: Path) -> None:
    """Content, names and executable bits count; ignored files do not."""
    (context / ".dockerignore").write_text("README.md\n")
    dockerfile = context / "Dockerfile"
    hashes = [context_hash(context, dockerfile)]
    (context / "README.md").write_text("another sentence")
    assert context_hash(context, dockerfile) == hashes[0]

    (context / "app" / "main.py").write_text("changed")
    hashes.append(context_hash(context, dockerfile))
    (context / "app" / "main.py").chmod(0o755)
    hashes.append(context_hash(context, dockerfile))
    (context / "app" / "main.py").rename(context / "app" / "renamed.py")
    hashes.append(context_hash(context, dockerfile))
    dockerfile.write_text("FROM scratch")
    hashes.append(context_hash(context, dockerfile))

    assert len(set(hashes)) == len(hashes)
