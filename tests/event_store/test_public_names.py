"""What the package offers is mapped, documented and typed."""

import asyncio
import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import event_store
from tests.event_store.command import PATIENCE_SECONDS, ROOT

PROGRAM: Final = """
from event_store import Client, ExpectedVersion, NewEvent, WrongExpectedVersionError

async def main() -> None:
    async with Client() as client:
        try:
            await client.append("id", "Type", [NewEvent("Type", {})], expected_version=ExpectedVersion.ANY)
        except WrongExpectedVersionError as error:
            reveal_type(error.actual_version)
        async for event in client.read_all():
            reveal_type(event.occurred_at)
        await client.append("id", "Type", [], expected_version="any")
"""


def _documented() -> Iterator[tuple[str, Callable[..., Any], str]]:
    """Yield each public function, method and constructor with its full name and its docstring."""
    for name in event_store.__all__:
        public = getattr(event_store, name)
        if inspect.isfunction(public):
            yield name, public, public.__doc__ or ""
            continue
        if "__init__" in vars(public) and not dataclasses.is_dataclass(public):
            yield f"{name}()", public.__init__, f"{public.__doc__}\n{public.__init__.__doc__}"
        for method, function in vars(public).items():
            if inspect.isfunction(function) and not method.startswith("_"):
                yield f"{name}.{method}", function, function.__doc__ or ""


def test_every_name_is_there() -> None:
    """And only the names that are announced are."""
    assert [name for name in event_store.__all__ if getattr(event_store, name).__name__ != name] == []
    assert len(set(event_store.__all__)) == len(event_store.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Relay'"):
        _ = event_store.Relay


def test_the_map_has_every_name_once() -> None:
    """docs/reference/client.md has a line for each public name, and for no other."""
    text = (ROOT / "docs" / "reference" / "client.md").read_text("utf-8")
    mapped = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)

    assert sorted(mapped) == sorted(event_store.__all__)


def test_every_error_that_a_caller_can_meet_is_a_public_name() -> None:
    """Whatever a call raises can be caught by a name of the package, without a look inside."""
    docs = "\n".join(doc for _, _, doc in _documented())
    raised = set(re.findall(r"^ +(\w+Error): ", docs, re.MULTILINE))

    assert "WrongExpectedVersionError" in raised
    assert raised <= set(event_store.__all__)


def test_every_argument_is_documented() -> None:
    """The docstring of each public function, method and constructor names each argument."""
    missing = [
        f"{name}: {argument}"
        for name, function, doc in _documented()
        for argument in inspect.signature(function).parameters
        if argument != "self" and not re.search(rf"^ +\**{argument}: ", doc, re.MULTILINE)
    ]

    assert missing == []


def test_every_call_says_what_it_raises() -> None:
    """Whatever reaches a service, a database or Pub/Sub names its errors, or says that it raises nothing."""
    silent = [
        name
        for name, function, doc in _documented()
        if inspect.iscoroutinefunction(function) or "AsyncGenerator" in str(inspect.signature(function))
        if "Raises:" not in doc and "raises nothing" not in " ".join(doc.split())
    ]

    assert silent == []


@pytest.mark.parametrize("name", event_store.__all__)
def test_every_attribute_is_documented(name: str) -> None:
    """A value's docstring names each of its fields; each of its properties has a docstring of its own."""
    public = getattr(event_store, name)
    fields = dataclasses.fields(public) if dataclasses.is_dataclass(public) else ()
    properties = [each for each in vars(public).values() if isinstance(each, property)]

    assert (public.__doc__ or "").strip()
    assert [field.name for field in fields if f" {field.name}: " not in public.__doc__] == []
    assert all(each.__doc__ for each in properties)


async def test_a_program_is_checked_by_the_types_of_the_package(tmp_path: Path) -> None:
    """Outside this repository a strict type checker knows what comes back, and refuses what is wrong."""
    (tmp_path / "program.py").write_text(PROGRAM)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mypy", "--strict", "program.py"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        said = (await process.communicate())[0].decode()

    assert 'Revealed type is "int"' in said
    assert 'Revealed type is "datetime.datetime"' in said
    assert said.count("error:") == 1
    assert 'incompatible type "str"; expected "ExpectedVersion | int"' in said
