"""Imported events are published as all others are."""

from event_store.database.login import Login
from event_store.log.import_writer import ImportWriter, prepare_part
from event_store.v1 import event_store_pb2 as pb
from tests.event_store.imports import history
from tests.event_store.outbox.bus import Bus, assert_in_order, positions_of
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.log import Log


async def test_imported_events_are_published_in_order(
    bus: Bus, log: Log, login: Login, start_relay: StartRelay
) -> None:
    """By the same routes, with the times and versions of their own, behind what was appended before."""
    source = history(60, aggregates=3)
    for event in source:
        event.aggregate_type = "First"
    await log.append(source[0].aggregate_id[:-4] + "ffff", "First", 1)
    await start_relay(bus.routing())
    writer = ImportWriter(login, "legacy")
    await writer.begin()
    for start in (0, 30):
        part = prepare_part(pb.ImportEventsRequest(events=source[start : start + 30]), start + 1, None)
        await writer.store(part)
    writer.close()

    messages = await bus.receive_events("first", set(range(1, 62)))

    assert set(positions_of(messages)) == set(range(1, 62))
    assert_in_order(messages)
    imported = {message.attributes["event_id"]: message for message in messages}
    assert all(
        imported[each.event.event_id].attributes["occurred_at"] == "2026-09-21T14:13:20.123456Z"
        for each in source
    )
