"""The parts depend on each other in one direction only."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
SERVICE: Final = ROOT / "service" / "event_store"
# What an infrastructure program may know of the service: its bus, its environment and its errors.
KNOWN_TO_INFRA: Final = ("event_store.topology", "event_store.environment", "event_store.errors")


def _imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each import in a file or folder as `file:line` and the full name of the module."""
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            where = f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                yield from ((where, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((where, f"{node.module}.{alias.name}") for alias in node.names)


def _within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_what_infra_imports_brings_no_server_with_it() -> None:
    """The modules that infra may import lead to no other module of ours, and to no server or driver."""
    topology = sorted((SERVICE / "topology").rglob("*.py"))
    shared = [SERVICE / "environment.py", SERVICE / "errors.py", *topology]
    imported = [module for file in shared for _, module in _imports(file)]

    assert not [
        module
        for module in imported
        if _within(module, "event_store", "grpc", "google", "psycopg", "alembic")
        and not _within(module, *KNOWN_TO_INFRA)
    ]


@pytest.mark.parametrize("package", ["event_store_infra", "local_gcp", "pubsub_emulator", "pulumi", "tests"])
def test_the_service_knows_nothing_of_where_it_runs(package: str) -> None:
    """The service's image holds neither Pulumi nor the local Google Cloud."""
    assert [found for found in _imports(SERVICE) if _within(found[1], package)] == []


def test_no_module_of_infra_hides_a_package() -> None:
    """Pulumi puts `infra/` on the path of the program, where a module named like a package would win."""
    packages = {"event_store", "local_gcp", "pubsub_emulator", "migrations", "service", "tests", "tools"}

    assert not packages & {path.stem for path in (ROOT / "infra").iterdir()}
