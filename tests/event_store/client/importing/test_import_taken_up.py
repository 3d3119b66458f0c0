"""An import whose parts another caller has stored in part meanwhile."""

import asyncio
from collections.abc import AsyncIterator

from event_store.client.client import Client
from event_store.model.events import ImportedEvent, ImportProgress
from event_store.server.server import Server
from tests.event_store.client.importing.test_import import history, stored
from tests.event_store.command import PATIENCE_SECONDS
from tests.proxy import Proxy


async def test_a_part_that_is_stored_in_part_is_sent_without_it(server: Server, client: Client) -> None:
    """It goes on within the part after the loss of its connection, and stores each event once."""
    events = history(1500)

    async with asyncio.timeout(2 * PATIENCE_SECONDS), Proxy(server.port) as proxy:

        async def source() -> AsyncIterator[ImportedEvent]:
            proxy.hold("requests")
            for event in events:
                yield event

        async with Client(f"127.0.0.1:{proxy.port}") as interrupted:
            importing = asyncio.create_task(interrupted.import_events("legacy", source()))
            await proxy.until_held("Happened")
            assert await client.import_events("legacy", events[:700]) == ImportProgress(700, 700)
            proxy.cut()
            assert await importing == ImportProgress(1500, 1500)

    assert [event.event_id for event in await stored(client)] == [event.event_id for event in events]
