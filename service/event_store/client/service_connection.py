"""Connect a client to a service by one gRPC channel at a time, which is replaced when it hangs.

Invariants:

- A channel that received nothing while a call timed out is replaced: the next call uses a new one.
- A replaced channel is closed when its last call has ended; every call has a time limit.
- Connections are not shared: a hung connection of one client does not affect another client.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc

from event_store import forking
from event_store.client import channel
from event_store.errors import EventStoreError
from event_store.v1.event_store_pb2_grpc import EventStoreStub


class ServiceConnection:
    """A connection to a service, opened and closed once each.

    Args:
        address: See `channel.channels_to`.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._new_channel: Callable[[], grpc.aio.Channel] | None = None
        self._channel: _Channel | None = None
        self._heard_at = 0.0  # when the service was heard, by the loop's clock

    async def open(self) -> None:
        """Prepare the connection; the first call connects.

        Raises:
            ConfigurationError: The address is not valid, or this process cannot use gRPC.
            UnavailableError: The metadata server issues no identity token now.
        """
        self._new_channel = await channel.channels_to(self._address)
        self._channel = _Channel(self._new_channel())

    async def close(self) -> None:
        """Close the connection. Closing twice is harmless."""
        channel, self._channel, self._new_channel = self._channel, None, None
        if channel is not None:
            await channel.grpc.close()

    def method(self, name: str) -> Callable[..., Any]:
        """Return a method of the contract, which starts a call on this connection.

        Raises:
            EventStoreError: The connection is not open.
            ConfigurationError: The connection was opened before this process was forked.
        """
        forking.check_process()
        if self._channel is None:
            raise EventStoreError("the client is not connected: use it as `async with Client(...) as client`")
        return partial(self._channel.call, name)

    def heard(self) -> None:
        """Note that the service has answered."""
        self._heard_at = asyncio.get_running_loop().time()

    def timed_out(self, since: float) -> None:
        """Note that a call timed out; replace the channel if it received nothing in the meantime.

        Args:
            since: When the call began to wait, in seconds of the event loop's clock.
        """
        if self._channel is None or self._new_channel is None or self._heard_at >= since:
            return
        self._channel.retire()
        self._channel = _Channel(self._new_channel())


class _Channel:
    """A channel that counts its open calls."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.grpc = channel
        self._stub = EventStoreStub(channel)  # type: ignore[no-untyped-call] # generated without types
        self._calls = 0
        self._is_retired = False
        self._closing: asyncio.Task[None] | None = None

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Start a call."""
        call = getattr(self._stub, name)(*arguments, **options)
        self._calls += 1
        call.add_done_callback(self._ended)
        return call

    def retire(self) -> None:
        """Close the channel when its last call has ended."""
        self._is_retired = True
        self._close_if_idle()

    def _ended(self, _call: Any) -> None:
        self._calls -= 1
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._is_retired and not self._calls and self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self.grpc.close())
