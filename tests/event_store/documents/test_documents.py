"""Each block of Python in the documents runs as it is printed; together they call every rpc."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
import pytest

from event_store.cli.emulator_bus import create_bus
from event_store.model.events import ExpectedVersion, NewEvent
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import Addresses, TestDatabase
from tests.documents import TARGET, blocks, output, topology_of
from tests.event_store.command import ROOT
from tests.event_store.consumer.conftest import serving

PROJECT: Final = "project-of-documents"
AGGREGATE_ID: Final = "0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b0ff"  # the one of the documents' commands
SERVICE: Final = pb.DESCRIPTOR.services_by_name["EventStore"]
_TIME: Final = r"\d{4}-\d\d-\d\d \d\d:\d\d:\S+"


@dataclass(frozen=True, slots=True)
class RunPage:
    """What becomes of the blocks of a page on a log that has three events.

    Attributes:
        prints: For each block a regular expression that its whole output matches.
        calls: The rpcs that they call.
        endless: The blocks, from 0, that never end by themselves: they are ended at that output.
    """

    prints: tuple[str, ...]
    calls: frozenset[str]
    endless: frozenset[int] = frozenset()


PAGES: Final = {
    "README.md": RunPage(
        (r"1 WordAdded {'word': 'ahoj', 'meaning': 'hello'}\n",), frozenset({"AppendEvents", "ReadAggregate"})
    ),
    "service/README.md": RunPage(
        (r"1 WordAdded {'word': 'ahoj'}\n",), frozenset({"AppendEvents", "ReadAggregate"})
    ),
    "docs/howto/appending.md": RunPage(
        (
            r"version 2 position 5\nversions \[3, 1\]\n",
            r"version 100\n",
            r"import-7 True\n",
            r"saved True at version 90\nwords 100\n",
            rf"\d+ \d+ [\d.]+\n(?:projects/{PROJECT}/topics/\S+ \d+ [\d.]+ 0\n)+",
        ),
        frozenset({"AppendEvents", "AppendEventsStream", "ReadAggregate"})
        | {"SaveSnapshot", "GetSnapshot", "LoadAggregate", "GetStatus"},
    ),
    "docs/howto/subscriptions.md": RunPage(
        (
            r"1 VocabularyCreated {}\n2 WordAdded {}\n3 WordAdded {}\n",
            rf"2 {_TIME} WordAdded\n3 {_TIME} WordAdded\n",
            rf"event 1 \w+\nevent 2 \w+\nevent 3 \w+\nhandled everything up to 3 and live since {_TIME}\n",
        ),
        frozenset({"ReadAggregate", "ReadAll", "Subscribe"}),
        frozenset({2}),
    ),
    "docs/howto/importing.md": RunPage(
        (r"0\n1000\n2000\n2500\n2500 up to position 2503\n",), frozenset({"ImportEvents"})
    ),
    "docs/howto/replaying.md": RunPage(
        (
            r"2 events of 1 to 3\n(?:\w+ \d of 2 \n)*finished 2 of 2 \n",
            rf"{_TIME} \S+ cancelled \d+\n{_TIME} \S+ finished 3\n",
        ),
        frozenset({"StartReplay", "GetReplay", "PauseReplay", "ResumeReplay", "CancelReplay", "ListReplays"}),
    ),
    "docs/howto/eventsourcing.md": RunPage(
        (
            "",
            r"{'ahoj': 'hello'}\n.*at version 3, expected 2: .*\n",
            r"4 Added 1\n5 WordAdded 2\n6 WordAdded 3\n",
            "",
        ),
        frozenset({"AppendEvents", "ReadAggregate", "Subscribe"}),
        frozenset({2}),
    ),
}
ELSEWHERE: Final = {
    "docs/howto/consumers.md": "has a database of its own: test_consumers_document.py runs it",
    "infra/README.md": "is a Pulumi program: tests/event_store_infra/stack/test_another_team.py runs it",
    "local/pulumi-local-gcp/README.md": "is a Pulumi program: tests/local_gcp/test_readme.py runs it",
    "local/pubsub-emulator/README.md": "needs no service: tests/pubsub_emulator/test_readme.py runs it",
}


class _Calls(grpc.aio.ServerInterceptor):  # type: ignore[misc] # gRPC has no types
    """Takes down the rpcs of the event store that reach the service."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        service, _, name = handler_call_details.method.removeprefix("/").partition("/")
        if service == SERVICE.full_name:
            self.names.add(name)
        return await continuation(handler_call_details)


@pytest.mark.parametrize("name", PAGES)
async def test_each_block_of_a_page_is_a_program_that_runs(
    addresses: Addresses, database: TestDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """One after the other, on the repository's own topology with what the page adds to it."""
    calls = _Calls()
    monkeypatch.setattr(grpc.aio, "server", partial(grpc.aio.server, interceptors=(calls,)))
    address = await addresses("embedded")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    page, topology = PAGES[name], topology_of(ROOT / name)
    await asyncio.to_thread(lambda: list(create_bus(topology, PROJECT, address)))
    async with serving(database, topology.routing(PROJECT), monkeypatch) as (client, target):
        events = [NewEvent(each, {}) for each in ("VocabularyCreated", "WordAdded", "WordAdded")]
        await client.append(AGGREGATE_ID, "Vocabulary", events, expected_version=ExpectedVersion.NO_STREAM)
        calls.names.clear()

        for number, (block, prints) in enumerate(
            zip(blocks(ROOT / name, "python"), page.prints, strict=True)
        ):
            until = prints if number in page.endless else ""
            printed = await output(block.replace(TARGET, target), tmp_path, until=until)
            assert re.fullmatch(prints, printed), printed

    assert calls.names == page.calls


def test_every_page_with_python_is_run() -> None:
    """A page that gets its first block is noticed here."""
    folders = ("docs", "examples", "infra", "local", "service")
    pages = [ROOT / "README.md", *(page for each in folders for page in (ROOT / each).rglob("*.md"))]

    assert {str(each.relative_to(ROOT)) for each in pages if blocks(each, "python")} == {*PAGES, *ELSEWHERE}


def test_every_rpc_is_called_by_an_example() -> None:
    """What reaches a service while the examples run is the whole contract."""
    called = {name for page in PAGES.values() for name in page.calls}

    assert called == {method.name for method in SERVICE.methods}
