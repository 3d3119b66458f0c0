"""A stream that the service ends at its limit is resumed by the client, and its caller sees nothing of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import pytest

from event_store.client.client import Client
from event_store.model.events import AppendResult, ImportedEvent, ImportProgress, NewEvent
from event_store.server.append_stream_call import Pipeline
from event_store.server.import_call import Importer
from event_store.server.subscribe_call import Follower
from tests.event_store.client.conftest import serving
from tests.event_store.client.importing.test_import import history
from tests.event_store.command import PATIENCE_SECONDS

STREAMS = 3  # so many must be opened, one after another


class Opened:
    """Counts the streams that the service answers, by the method that answers one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: type, method: str) -> None:
        self._streams = 0
        answer = getattr(kind, method)

        def counted(stream: Any) -> Any:
            self._streams += 1
            return answer(stream)

        monkeypatch.setattr(kind, method, counted)

    @property
    def is_enough(self) -> bool:
        """Whether a caller was led over two limits."""
        return self._streams >= STREAMS


@pytest.fixture
async def client(variables: dict[str, str]) -> AsyncIterator[Client]:  # noqa: ARG001 # names the database
    """A client of a service that ends each stream after a second."""
    async with (
        serving(stream_seconds=1) as server,
        Client(f"127.0.0.1:{server.port}", timeout_seconds=20) as client,
    ):
        yield client


async def test_a_subscription_goes_on_over_the_limit_of_its_streams(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, nothing comes twice, in the middle of appends; and the caller gets no error."""
    opened, aggregate_id = Opened(monkeypatch, Follower, "follow"), str(uuid4())
    positions: list[int] = []
    async with asyncio.timeout(PATIENCE_SECONDS), aclosing(client.subscribe()) as events:
        while not opened.is_enough:
            version = len(positions)
            news = [NewEvent("Happened", 1), NewEvent("Happened", 2)]
            await client.append(aggregate_id, "Order", news, expected_version=version)
            positions += [(await anext(events)).global_position for _ in news]

    assert positions == list(range(1, len(positions) + 1))


async def test_appends_go_on_over_the_limit_of_their_streams(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is stored once and in order: every one expects the version that the one before it makes."""
    opened, aggregate_id = Opened(monkeypatch, Pipeline, "run"), str(uuid4())
    futures: list[asyncio.Future[AppendResult]] = []
    async with asyncio.timeout(PATIENCE_SECONDS), client.append_stream(most_in_flight=8) as stream:
        while not opened.is_enough:
            news = [NewEvent("Happened", len(futures))]
            futures.append(await stream.append(aggregate_id, "Order", news, expected_version=len(futures)))

    stored = [event.event_data async for event in client.read_all()]

    assert [each.result().event_version for each in futures] == list(range(1, len(futures) + 1))
    assert stored == list(range(len(futures)))


async def test_an_import_goes_on_over_the_limit_of_its_streams(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event of its source is stored once."""
    opened, taken = Opened(monkeypatch, Importer, "run"), 0

    async def source() -> AsyncIterator[ImportedEvent]:
        nonlocal taken
        for event in history(2_000, "x" * 1_000_000):  # four to a part
            if opened.is_enough:
                return
            yield event
            taken += 1

    progress = await client.import_events("legacy", source())

    assert opened.is_enough
    assert progress == ImportProgress(taken, taken)
    assert (await client.status()).head_position == taken
