"""Replays come after appends and the relay: in requests to Pub/Sub, and in where they read."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from event_store.client.client import Client
from event_store.environment import Environment
from event_store.model.replay import ReplayState
from event_store.outbox.relay_term import WORKERS
from event_store.replay.term import REPLAY_WORKERS
from event_store.server.server import Server
from tests.conftest import OLDEST, Clusters, TestDatabase, clone_as
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, positions_of
from tests.event_store.outbox.gate import Gate
from tests.event_store.outbox.log import Log
from tests.event_store.replay.conftest import AGAIN, StartReplayer, routing_of
from tests.event_store.replay.test_replaying import ended


async def test_a_replay_has_a_fifth_of_the_relays_requests(
    idle_client: Client, bus: Bus, log: Log, gate: Gate, start_replayer: StartReplayer
) -> None:
    """However many ordering keys it has, so many requests of it are in flight, and no more."""
    for _ in range(3 * REPLAY_WORKERS):
        await log.append(str(uuid4()), "First", 1)
    replay = await idle_client.replays.start(AGAIN)
    await gate.close()
    await start_replayer(routing_of(bus))

    async with asyncio.timeout(PATIENCE_SECONDS):
        await gate.until(lambda: gate.waiting >= REPLAY_WORKERS)
        log.query("UPDATE replays SET lease_expires_at = 'infinity'")
        await log.until("lease_expires_at < 'infinity' FROM replays")  # it had time to send more
        await gate.open()
    end = await ended(idle_client, replay)

    assert REPLAY_WORKERS * 5 == WORKERS
    assert gate.most_waiting == REPLAY_WORKERS
    assert end.published_events == 3 * REPLAY_WORKERS


@pytest.fixture
def empty_replica(clusters: Clusters, database: TestDatabase) -> Iterator[TestDatabase]:
    """A replica that has nothing of the log yet."""
    yield from clone_as(clusters(OLDEST), database.name)


async def test_a_replay_reads_the_primary_though_there_is_a_replica(
    bus: Bus, log: Log, empty_replica: TestDatabase
) -> None:
    """A replica that is behind would look like a log that ends too early, or like a hole in it."""
    positions = set(await log.append(str(uuid4()), "First", *range(10)))
    environment = replace(
        Environment(), port=0, replica_host="127.0.0.1", replica_port=empty_replica.postgres.port
    )
    server = Server(environment, routing_of(bus))
    await server.start()
    try:
        async with Client(f"127.0.0.1:{server.port}", timeout_seconds=PATIENCE_SECONDS) as client:
            end = await ended(client, await client.replays.start(AGAIN))
        assert server._replica is not None
        asked = server._replica._pool.get_stats().get("requests_num", 0)
    finally:
        await server.stop()

    assert (end.state, end.published_events, end.error) == (ReplayState.FINISHED, 10, "")
    assert set(positions_of(await bus.receive_events(AGAIN, positions))) == positions
    assert asked == 0
