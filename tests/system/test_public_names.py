"""What the four distributions offer to others is declared once, in each public module's `__all__`."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.documents import blocks
from tests.processes import ROOT

DISTRIBUTIONS: Final = ("event_store", "event_store_infra", "pubsub_emulator", "local_gcp")
PUBLIC: Final = {
    "event_store": "the client, the consumer, their values and their errors",
    "event_store.topology": "the bus as topology.yaml declares it, for programs that make one",
    "event_store_infra": "the whole as one call, each component and its settings",
    "pubsub_emulator": "the emulator as a part of another program or test",
    "pubsub_emulator.testing": "fixtures of pytest",
}
# Their names are loaded when they are first used.
LAZY: Final = ("event_store", "event_store_infra")
PAGES: Final = sorted(
    path for path in (ROOT / "README.md", *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md"))
) + sorted((ROOT / "docs").rglob("*.md"))
PROGRAMS: Final = (
    *sorted((ROOT / "examples").rglob("*.py")),
    *sorted((ROOT / "infra").glob("__main__.py")),
    *sorted((ROOT / "infra" / "bootstrap").glob("*.py")),
)


def _sources() -> Iterator[tuple[str, str]]:
    """Yield what others are meant to copy: where it stands, and its text."""
    for path in PROGRAMS:
        yield str(path.relative_to(ROOT)), path.read_text("utf-8")
    for page in PAGES:
        for number, block in enumerate(blocks(page, "python"), 1):
            yield f"{page.relative_to(ROOT)}, block {number}", block


def _names(source: str) -> Iterator[tuple[str, str]]:
    """Yield each name of a distribution that a source uses, with the module that it takes it from."""
    tree = compile(source, "source", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in DISTRIBUTIONS:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            ours = (each for each in node.names if each.name.split(".")[0] in DISTRIBUTIONS)
            modules |= {each.asname or each.name: each.name for each in ours}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in modules:
            yield modules[ast.unparse(node.value)], node.attr


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_there_and_documented(module: str) -> None:
    """Each stands once, in the order of the alphabet, and a class or function says what it is."""
    public = importlib.import_module(module)
    values = {name: getattr(public, name) for name in public.__all__}
    described = {name: each for name, each in values.items() if inspect.isclass(each) or callable(each)}

    assert list(public.__all__) == sorted(set(public.__all__))
    assert [name for name, each in described.items() if not inspect.getdoc(each)] == []


def _typed(module: str) -> dict[str, str]:
    """Return each name that a type checker finds in a module, with the module that it takes it from."""
    tree = ast.parse(Path(str(importlib.import_module(module).__file__)).read_text("utf-8"))
    (block,) = (each for each in tree.body if isinstance(each, ast.If))
    imports = [each for each in block.body if isinstance(each, ast.ImportFrom)]
    return {alias.name: str(each.module) for each in imports for alias in each.names}


@pytest.mark.parametrize("name", LAZY)
def test_a_name_that_is_loaded_when_used_is_what_its_type_says(name: str) -> None:
    """It is loaded once, and `dir` shows it before."""
    module, typed = importlib.import_module(name), _typed(name)

    assert sorted(typed) == module.__all__
    assert module._MODULES.keys() <= typed.keys()
    assert {*dir(module)} >= {*module.__all__, "__all__"}
    for each, origin in typed.items():
        assert getattr(module, each) is getattr(importlib.import_module(origin), each)
        assert each in vars(module)


def test_examples_and_documents_use_public_names_only() -> None:
    """Whoever copies them gets nothing that may change without a word."""
    used = [(where, module, name) for where, text in _sources() for module, name in _names(text)]
    private = [
        f"{where}: {module}.{name}"
        for where, module, name in used
        if module not in PUBLIC or name not in importlib.import_module(module).__all__
    ]

    assert {where.split("/")[0] for where, _, _ in used} >= {"examples", "docs", "infra"}
    assert private == []


@pytest.mark.parametrize("module", PUBLIC)
def test_a_private_name_in_a_copy_is_found(module: str) -> None:
    """By either form of import; so an empty list above means something."""
    assert list(_names(f"from {module}.within import name")) == [(f"{module}.within", "name")]
    assert list(_names(f"import {module} as ours\nours.name")) == [(module, "name")]


def test_the_commands_of_the_local_google_cloud_are_all_that_it_offers() -> None:
    """It has no public module: what it is asked for goes through its command."""
    assert not hasattr(importlib.import_module("local_gcp"), "__all__")
    assert Path(str(importlib.import_module("local_gcp").__file__)).with_name("__main__.py").is_file()
