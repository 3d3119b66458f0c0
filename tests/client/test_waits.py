"""How long a call waits between its attempts, and what it tells when its time is over."""

import asyncio

import grpc
import pytest

from event_store.backoff import Backoff
from event_store.calls import Calls, pause
from event_store.client import Client
from event_store.errors import EventStoreError, UnavailableError

PATIENCE_SECONDS = 20.0


async def test_a_wait_between_attempts_ends_before_the_deadline() -> None:
    """However long it would be by itself: there is time for a last attempt."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + 1

    async with asyncio.timeout(PATIENCE_SECONDS):
        await pause(UnavailableError("away"), Backoff(3600, 3600), deadline)

    assert clock() < deadline


async def test_a_call_tells_what_was_wrong_not_that_its_last_attempt_had_no_time() -> None:
    """The first trouble says more than a deadline that passed."""
    answers = iter(
        [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.DEADLINE_EXCEEDED]
    )

    async def attempt(_left_seconds: float) -> None:
        code = next(answers, grpc.StatusCode.DEADLINE_EXCEEDED)
        raise grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), f"said {code.name}")

    async with Client("127.0.0.1:1", timeout_seconds=1) as client:
        calls: Calls = client._calls
        with pytest.raises(EventStoreError, match="said UNAVAILABLE"):
            await calls.repeat(attempt)
