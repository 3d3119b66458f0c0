"""A replay whose database hangs goes on, on another connection, and counts each event once."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from event_store.client.client import Client
from event_store.database import connection
from event_store.outbox import lease
from tests.conftest import TestDatabase
from tests.event_store.outbox.bus import Bus
from tests.event_store.outbox.log import Log
from tests.event_store.replay.conftest import AGAIN, StartReplayer, routing_of
from tests.event_store.replay.test_surviving import assert_whole
from tests.proxy import Proxy


@pytest.fixture
async def proxy(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """The replayers' way to the database, with shorter limits."""
    monkeypatch.setattr(lease, "STATEMENT_SECONDS", 0.8)
    monkeypatch.setattr(connection, "CANCEL_SECONDS", 0.4)
    async with Proxy(database.postgres.port) as proxy:
        yield proxy


async def test_a_replay_whose_connection_hangs_goes_on(
    idle_client: Client,
    bus: Bus,
    log: Log,
    proxy: Proxy,
    start_replayer: StartReplayer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of its range is missing, order holds, and the counts are right."""
    positions = set(await log.append(str(uuid4()), "First", *range(40)))
    replay = await idle_client.replays.start(AGAIN, events_per_second=20)
    monkeypatch.setenv("PGPORT", str(proxy.port))
    await start_replayer(routing_of(bus))
    await log.until("position > 3 FROM replays")

    proxy.freeze()

    await assert_whole(idle_client, bus, replay, positions)
