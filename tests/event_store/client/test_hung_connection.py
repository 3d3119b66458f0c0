"""What the client does when its connection hangs: established, and nothing comes on it any more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import grpc
import pytest

from event_store import keep_alive
from event_store.client import log_subscription
from event_store.client.client import Client
from event_store.errors import UnavailableError
from event_store.model.events import ExpectedVersion, ImportedEvent, NewEvent
from event_store.v1 import event_store_pb2 as pb
from event_store.v1 import event_store_pb2_grpc
from tests.event_store.client.conftest import serving
from tests.event_store.client.importing.test_import import history
from tests.event_store.command import PATIENCE_SECONDS, ROOT
from tests.proxy import Proxy

PINGS_SECONDS = 0.2
NEVER_SECONDS = 1000.0


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients and servers of the test find a hung connection in a moment."""
    monkeypatch.setattr(keep_alive, "CLIENT_PING_SECONDS", PINGS_SECONDS)
    monkeypatch.setattr(keep_alive, "CLIENT_PATIENCE_SECONDS", 1.0)


@pytest.fixture
async def proxy(variables: dict[str, str]) -> AsyncIterator[Proxy]:  # noqa: ARG001 # names the database
    """A service behind a wire that can be frozen."""
    async with serving() as server, Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def client(pings: None, proxy: Proxy) -> AsyncIterator[Client]:  # noqa: ARG001 # the service's too
    """A client on that wire, whose own limits are far away."""
    async with Client(f"127.0.0.1:{proxy.port}", timeout_seconds=2 * PATIENCE_SECONDS) as client:
        yield client


async def _append(client: Client, *data: object) -> None:
    events = [NewEvent("Happened", value) for value in data]
    await client.append(str(uuid4()), "Order", events, expected_version=ExpectedVersion.ANY)


async def _ask(client: Client, proxy: Proxy) -> None:
    await client.status()
    proxy.freeze()
    await client.status()


async def _read(client: Client, proxy: Proxy) -> None:
    await _append(client, *["x" * 100_000] * 30)
    events = client.read_all()
    positions = [(await anext(events)).global_position]
    proxy.freeze()
    positions += [event.global_position async for event in events]
    assert positions == list(range(1, 31))


async def _subscribe(client: Client, proxy: Proxy) -> None:
    await _append(client, 1)
    events = client.subscribe()
    assert (await anext(events)).event_data == 1
    proxy.freeze()
    await _append(client, 2)
    assert (await anext(events)).event_data == 2
    await events.aclose()


async def _stream(client: Client, proxy: Proxy) -> None:
    async with client.append_stream() as stream:
        for number in range(1, 4):
            events = [NewEvent("Happened", number)]
            future = await stream.append(str(uuid4()), "Order", events, expected_version=0)
            if number == 1:
                await future
                proxy.freeze()
    assert [event.global_position async for event in client.read_all()] == [1, 2, 3]


async def _import(client: Client, proxy: Proxy) -> None:
    async def source() -> AsyncIterator[ImportedEvent]:
        for number, event in enumerate(history(2500)):
            if number == 1100:
                proxy.freeze()
            yield event

    assert (await client.import_events("legacy", source())).stored_events == 2500


@pytest.mark.parametrize("work", [_ask, _read, _subscribe, _stream, _import])
async def test_a_client_outlives_a_connection_that_hangs(
    client: Client, proxy: Proxy, work: Callable[[Client, Proxy], Awaitable[None]]
) -> None:
    """Each kind of call goes on by itself on another connection, and nothing is lost or doubled."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await work(client, proxy)


async def test_another_client_does_not_share_a_connection_that_hangs(proxy: Proxy) -> None:
    """A second client of the process has a connection of its own at once."""
    address = f"127.0.0.1:{proxy.port}"
    async with Client(address) as first, Client(address, timeout_seconds=5) as second:
        await first.status()
        proxy.freeze()

        assert (await second.status()).head_position == 0


def test_a_hung_connection_is_given_up_within_the_time_that_is_promised() -> None:
    """Its pings come before the silence that ends a subscription, which the document has in seconds."""
    given_up_seconds = keep_alive.CLIENT_PING_SECONDS + keep_alive.CLIENT_PATIENCE_SECONDS
    document = (ROOT / "docs" / "howto" / "subscriptions.md").read_text("utf-8")

    assert given_up_seconds < log_subscription.SILENCE_SECONDS
    assert f"after {given_up_seconds:.0f} seconds" in document
    assert f"after {log_subscription.SILENCE_SECONDS:.0f} of silence" in document


async def test_the_service_allows_the_pings_of_its_clients(client: Client, proxy: Proxy) -> None:
    """A stream that says nothing for many pings keeps its connection."""
    async with asyncio.timeout(PATIENCE_SECONDS), client.append_stream() as stream:
        for _ in range(2):
            future = await stream.append(str(uuid4()), "Order", [NewEvent("A", 1)], expected_version=0)
            await future
            await proxy.until_passed(20)  # each ping and its answer

    assert proxy.connections == 1


async def test_a_connection_on_which_a_call_ran_out_of_time_is_replaced(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no ping helps, one call fails in its time, and the next finds another connection."""
    monkeypatch.setattr(keep_alive, "CLIENT_PING_SECONDS", NEVER_SECONDS)
    monkeypatch.setattr(keep_alive, "CLIENT_PATIENCE_SECONDS", NEVER_SECONDS)
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        Client(f"127.0.0.1:{proxy.port}", timeout_seconds=2) as client,
    ):

        async def streamed() -> None:
            async with client.append_stream() as stream:
                await (await stream.append(str(uuid4()), "Order", [NewEvent("A", 1)], expected_version=0))

        await _append(client, 1)
        for failing in (
            client.status(),
            anext(client.read_all()),
            client.import_events("a", history(1)),
            streamed(),
        ):
            proxy.freeze()
            with pytest.raises(UnavailableError, match="did not answer in time"):
                await failing
            await client.status()


async def test_a_subscription_that_hears_nothing_finds_another_connection(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no ping helps, its own patience does, and it goes on at its checkpoint."""
    monkeypatch.setattr(keep_alive, "CLIENT_PING_SECONDS", NEVER_SECONDS)
    monkeypatch.setattr(keep_alive, "CLIENT_PATIENCE_SECONDS", NEVER_SECONDS)
    monkeypatch.setattr(log_subscription, "SILENCE_SECONDS", 1.0)
    address = f"127.0.0.1:{proxy.port}"
    async with asyncio.timeout(PATIENCE_SECONDS), Client(address) as client:
        events = client.subscribe()
        await _append(client, 1)
        assert (await anext(events)).event_data == 1
        proxy.freeze()
        listening = asyncio.ensure_future(anext(events))
        async with Client(address) as other:
            await _append(other, 2)
        assert (await listening).event_data == 2
        await events.aclose()


async def test_the_calls_on_a_connection_that_was_replaced_end_by_themselves(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that runs out of time does not cancel the others: a read that was behind goes on, whole."""
    monkeypatch.setattr(keep_alive, "CLIENT_PING_SECONDS", NEVER_SECONDS)
    monkeypatch.setattr(keep_alive, "CLIENT_PATIENCE_SECONDS", NEVER_SECONDS)
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        Client(f"127.0.0.1:{proxy.port}", timeout_seconds=1) as client,
    ):
        await _append(client, *range(150))  # two messages, which a connection takes at once
        events = client.read_all()
        positions = [(await anext(events)).global_position]
        await client.status()  # the second message came before this answer
        proxy.freeze()
        with pytest.raises(UnavailableError, match="did not answer in time"):
            await client.status()
        positions += [event.global_position async for event in events]

    assert positions == list(range(1, 151))


class _Slow(event_store_pb2_grpc.EventStoreServicer):
    """A service that answers one method at once and another never."""

    async def GetStatus(  # noqa: N802 # gRPC's name
        self, _request: pb.GetStatusRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetStatusResponse:
        return pb.GetStatusResponse()

    async def GetSnapshot(  # noqa: N802 # gRPC's name
        self, _request: pb.GetSnapshotRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetSnapshotResponse:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_slow_call_does_not_cost_the_connection_of_others() -> None:
    """It runs out of time by itself: the connection on which others are answered stays."""
    server = grpc.aio.server()
    event_store_pb2_grpc.add_EventStoreServicer_to_server(_Slow(), server)  # type: ignore[no-untyped-call] # generated
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        Proxy(port) as proxy,
        Client(f"127.0.0.1:{proxy.port}", timeout_seconds=2) as client,
    ):
        slow = asyncio.create_task(client.get_snapshot(str(uuid4())))
        while not slow.done():
            await client.status()
        await client.status()
        connections = proxy.connections
    await server.stop(None)

    assert isinstance(slow.exception(), UnavailableError)
    assert connections == 1
