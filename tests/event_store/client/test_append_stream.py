"""The client's stream of appends: pipelined, each with a result of its own, through restarts."""

import asyncio
from uuid import uuid4

import pytest

from event_store.client.append_stream import AppendStream
from event_store.client.client import Client
from event_store.errors import (
    EventAlreadyExistsError,
    InvalidArgumentError,
    UnavailableError,
    WrongExpectedVersionError,
)
from event_store.model.events import AggregateAppend, AppendResult, ExpectedVersion, NewEvent
from event_store.server.server import Server
from local_gcp.system.ports import free_port
from tests.event_store.client.conftest import serving
from tests.event_store.command import PATIENCE_SECONDS, started


async def _append(stream: AppendStream, number: int) -> "asyncio.Future[AppendResult]":
    return await stream.append(
        str(uuid4()), "Order", [NewEvent("Happened", number)], expected_version=ExpectedVersion.NO_STREAM
    )


async def test_appends_are_pipelined_and_kept_in_order(client: Client) -> None:
    """An append may expect the version that an unanswered one makes; leaving the block waits for all."""
    aggregate_id = str(uuid4())

    async with asyncio.timeout(PATIENCE_SECONDS), client.append_stream() as stream:
        futures = [
            await stream.append(aggregate_id, "Order", [NewEvent("Happened", n)], expected_version=n)
            for n in range(300)
        ]

    assert [future.result().event_version for future in futures] == list(range(1, 301))


async def test_an_append_that_is_refused_harms_no_other(client: Client) -> None:
    """Each error is that of its own append, as from `Client.append`; several aggregates stay one append."""
    aggregate_id = str(uuid4())
    async with asyncio.timeout(PATIENCE_SECONDS), client.append_stream() as stream:
        first = await _append(stream, 1)
        bad = await stream.append("no uuid", "Order", [NewEvent("A", 1)], expected_version=0)
        conflict = await stream.append(aggregate_id, "Order", [NewEvent("A", 1)], expected_version=7)
        with pytest.raises(InvalidArgumentError, match="at most 4194304 are allowed"):
            await stream.append(aggregate_id, "Order", [NewEvent("A", "x" * 6_000_000)], expected_version=0)
        several = await stream.append_all(
            [
                AggregateAppend(aggregate_id, "Order", [NewEvent("A", 1)], 0),
                AggregateAppend(str(uuid4()), "Order", [NewEvent("A", 1)], 0),
            ]
        )

    assert first.result().first_global_position == 1
    assert [result.last_global_position for result in several.result()] == [2, 3]
    with pytest.raises(InvalidArgumentError, match=r"appends\[0\].aggregate_id"):
        bad.result()
    with pytest.raises(WrongExpectedVersionError) as raised:
        conflict.result()
    assert raised.value.actual_version == 0


async def test_a_stream_outlives_restarts_of_the_service(server: Server, client: Client) -> None:
    """Two restarts in the middle, with appends always in flight: each is stored once, in order."""
    aggregate_id = str(uuid4())
    futures: list[asyncio.Future[AppendResult]] = []

    async def append(stream: AppendStream, number: int) -> None:
        events = [NewEvent("Happened", number)]
        futures.append(
            await stream.append(aggregate_id, "Order", events, expected_version=ExpectedVersion.ANY)
        )

    async with asyncio.timeout(PATIENCE_SECONDS), client.append_stream(most_in_flight=20) as stream:
        for number in range(50):
            await append(stream, number)
        await server.stop()
        pending = asyncio.create_task(append(stream, 50))
        async with serving(server.port) as again:
            for number in range(51, 100):
                await append(stream, number)
            await again.grpc.stop(None)  # without a word of farewell
        async with serving(server.port):
            await pending
            await asyncio.gather(*futures)
            stored = [event.event_data async for event in client.read_aggregate(aggregate_id)]

    assert stored == list(range(100))
    assert [future.result().event_version for future in futures] == list(range(1, 101))


async def test_a_killed_service_loses_and_doubles_nothing(variables: dict[str, str]) -> None:
    """SIGKILL to the service's process with appends in flight, twice: each is stored once, in order."""
    aggregate_id, port = str(uuid4()), free_port()
    futures: list[asyncio.Future[AppendResult]] = []

    async with (
        asyncio.timeout(3 * PATIENCE_SECONDS),
        Client(f"127.0.0.1:{port}", timeout_seconds=2 * PATIENCE_SECONDS) as client,
        client.append_stream(most_in_flight=30) as stream,
    ):
        for goal in (200, 400, 600):
            async with started("serve", **variables, PORT=str(port)) as service:
                while len(futures) < goal:
                    events = [NewEvent("Happened", len(futures))]
                    futures.append(
                        await stream.append(
                            aggregate_id, "Order", events, expected_version=ExpectedVersion.ANY
                        )
                    )
                if goal < 600:
                    service.kill()
                    continue
                await asyncio.gather(*futures)
                stored = [event.event_data async for event in client.read_aggregate(aggregate_id)]

    assert stored == list(range(600))
    assert [future.result().event_version for future in futures] == list(range(1, 601))


async def test_an_append_without_an_answer_ends_the_stream_in_time() -> None:
    """With no service there the future fails, what waits for room too, and the stream takes no more."""
    async with asyncio.timeout(PATIENCE_SECONDS), Client("127.0.0.1:1", timeout_seconds=0.5) as client:
        stream = client.append_stream(most_in_flight=1)
        with pytest.raises(UnavailableError, match="the append stream has ended"):
            await _append(stream, 0)
        async with stream:
            first = await _append(stream, 1)
            with pytest.raises(UnavailableError, match="the append stream has ended"):
                await _append(stream, 2)
            with pytest.raises(UnavailableError, match="cannot be reached"):
                await first


async def test_leaving_a_stream_by_an_error_waits_for_nothing() -> None:
    """The error is the caller's at once, and what was unanswered is cancelled."""
    futures: list[asyncio.Future[AppendResult]] = []

    async def leave(client: Client) -> None:
        async with client.append_stream() as stream:
            futures.append(await _append(stream, 1))
            await asyncio.sleep(0)
            raise ZeroDivisionError

    async with asyncio.timeout(5), Client("127.0.0.1:1", timeout_seconds=PATIENCE_SECONDS) as client:
        with pytest.raises(ZeroDivisionError):
            await leave(client)

    assert futures[0].cancelled()


async def test_an_idle_stream_outlives_a_restart(server: Server, client: Client) -> None:
    """Nothing in flight, nothing to say: the next append finds the new service."""
    async with asyncio.timeout(PATIENCE_SECONDS), client.append_stream() as stream:
        await (await _append(stream, 1))
        await server.stop()
        async with serving(server.port):
            assert (await (await _append(stream, 2))).last_global_position == 2


async def test_a_failure_that_nobody_looked_at_is_raised_by_leaving_the_block(client: Client) -> None:
    """The first of the futures that were thrown away, with how many there are; one that is kept is not."""
    used = NewEvent("Happened", 1)
    await client.append(str(uuid4()), "Order", [used], expected_version=0)
    kept: list[asyncio.Future[AppendResult]] = []

    async def lose(*, keep: bool, look: bool = False) -> None:
        async with client.append_stream() as stream:
            again = NewEvent("Happened", 2, event_id=used.event_id)
            kept.append(await stream.append(str(uuid4()), "Order", [again], expected_version=0))
            conflict = await stream.append(str(uuid4()), "Order", [NewEvent("A", 1)], expected_version=7)
            if look:
                with pytest.raises(EventAlreadyExistsError):
                    await kept[0]
                with pytest.raises(WrongExpectedVersionError):
                    await conflict
            if not keep:
                kept.clear()
            del conflict
            await _append(stream, 3)

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(WrongExpectedVersionError) as one:
            await lose(keep=True)
        with pytest.raises(EventAlreadyExistsError):
            kept.pop().result()
        with pytest.raises(EventAlreadyExistsError) as two:
            await lose(keep=False)
        await lose(keep=False, look=True)

    assert not hasattr(one.value, "__notes__")
    assert two.value.__notes__ == ["2 appends of the stream failed without being awaited"]
    assert (await client.status()).head_position == 4  # each time the last one was stored


async def test_a_stream_that_has_died_is_raised_by_leaving_the_block() -> None:
    """Also if the futures are kept, unless all of them were looked at; the block's own error goes before."""
    kept: list[asyncio.Future[AppendResult]] = []

    async def die(client: Client, *, look: bool = False, fail: bool = False) -> None:
        async with client.append_stream(most_in_flight=2) as stream:
            kept[:] = [await _append(stream, 1), await _append(stream, 2)]
            await asyncio.wait(kept)
            if look:
                await asyncio.gather(*kept, return_exceptions=True)
            if fail:
                raise ZeroDivisionError

    async with asyncio.timeout(PATIENCE_SECONDS), Client("127.0.0.1:1", timeout_seconds=0.3) as client:
        with pytest.raises(UnavailableError, match="cannot be reached") as raised:
            await die(client)
        assert raised.value.__notes__ == ["2 appends of the stream failed without being awaited"]
        await die(client, look=True)
        with pytest.raises(ZeroDivisionError):
            await die(client, fail=True)


async def test_a_cancelled_append_gives_its_place_back(client: Client) -> None:
    """What is sent is stored, and those after it are not held up."""
    async with asyncio.timeout(PATIENCE_SECONDS), client.append_stream(most_in_flight=1) as stream:
        for number in range(5):
            (await _append(stream, number)).cancel()

    assert [event.event_data async for event in client.read_all()] == list(range(5))
