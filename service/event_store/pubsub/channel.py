"""Connect to Pub/Sub: Google's, or the emulator that `PUBSUB_EMULATOR_HOST` names."""

import asyncio
import ipaddress
import os
from collections.abc import Callable
from typing import Any, Final

import grpc

from event_store import forking, keep_alive
from event_store.environment import METADATA_HOST
from event_store.errors import EventStoreError, UnavailableError

_ADDRESS: Final = "pubsub.googleapis.com:443"
_SCOPE: Final = "https://www.googleapis.com/auth/pubsub"
_OPTIONS: Final = (
    ("grpc.max_reconnect_backoff_ms", 2_000),  # gRPC's own bound is two minutes
    ("grpc.max_receive_message_length", -1),  # a response of many messages is larger than gRPC's 4 MB
)


async def open_channel() -> grpc.aio.Channel:
    """Return a channel to Pub/Sub, which connects with its first request.

    Raises:
        ConfigurationError: There are no credentials, or this process was forked from one that uses gRPC.
        UnavailableError: The metadata server issues no token now.
    """
    forking.check_process()
    options = (*_OPTIONS, *keep_alive.pubsub_options())
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST", "")
    if emulator:
        # An emulator is on this machine or network: bypass the proxy of the environment.
        options = (*options, ("grpc.enable_http_proxy", 0))
        if not is_local(emulator, os.environ.get(METADATA_HOST, "")):
            return grpc.aio.insecure_channel(emulator, options=options)
        token = _LocalToken()
        return grpc.aio.insecure_channel(
            emulator, options=options, interceptors=[_OnCalls(token), _OnStreams(token)]
        )
    credentials = await asyncio.to_thread(_credentials)
    return grpc.aio.secure_channel(_ADDRESS, credentials, options=options)


class PubsubConnection:
    """A connection to Pub/Sub, for any number of concurrent callers."""

    def __init__(self) -> None:
        self._opening = asyncio.Lock()
        self._channel: grpc.aio.Channel | None = None

    async def open(self) -> None:
        """Prepare the connection; the first request connects. Opening twice is harmless.

        Raises:
            ConfigurationError: There are no credentials.
            UnavailableError: The metadata server issues no token now.
        """
        async with self._opening:
            if self._channel is None:
                self._channel = await open_channel()

    async def close(self) -> None:
        """Close the connection. Closing twice is harmless."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _opened(self) -> grpc.aio.Channel:
        if self._channel is None:
            raise EventStoreError(f"the {type(self).__name__.lower()} is not connected: open it first")
        return self._channel


def is_local(emulator: str, metadata: str) -> bool:
    """Return whether an emulator and the metadata server are a local Google Cloud, both on this machine.

    Only there a call carries an access token, because the connection is not encrypted.

    Args:
        emulator: `HOST:PORT` of the Pub/Sub emulator.
        metadata: `HOST:PORT` of the metadata server; empty for Google's own.
    """
    return all(_is_loopback(each.rpartition(":")[0]) for each in (emulator, metadata))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class _LocalToken:
    """Adds the access token of the container's service account to calls."""

    def __init__(self) -> None:
        from event_store import credentials  # noqa: PLC0415 # slow to load, and no other emulator needs it

        self._token = credentials.AccessToken("the local Pub/Sub")

    async def borne_by(self, call: Any) -> Any:
        """Return the details of a call with the token added, and with the time that the token has left it.

        Raises:
            UnavailableError: The metadata server issued no token within the call's timeout.
        """
        clock = asyncio.get_running_loop().time
        start = clock()
        try:
            async with asyncio.timeout(call.timeout):
                token = self._token.at_hand or await asyncio.to_thread(self._token.current)
        except TimeoutError:
            raise UnavailableError(f"no {self._token.name} within {call.timeout:g} s") from None
        metadata = grpc.aio.Metadata(*(call.metadata or ()))
        metadata["authorization"] = f"Bearer {token}"
        left = None if call.timeout is None else call.timeout - (clock() - start)
        return call._replace(metadata=metadata, timeout=left)


# gRPC accepts an interceptor for one kind of call only.
class _OnCalls(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[misc] # grpc has no types
    def __init__(self, token: _LocalToken) -> None:
        self._token = token

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: Any, request: Any
    ) -> Any:
        return await continuation(await self._token.borne_by(client_call_details), request)


class _OnStreams(grpc.aio.StreamStreamClientInterceptor):  # type: ignore[misc] # grpc has no types
    def __init__(self, token: _LocalToken) -> None:
        self._token = token

    async def intercept_stream_stream(
        self, continuation: Callable[..., Any], client_call_details: Any, request_iterator: Any
    ) -> Any:
        return await continuation(await self._token.borne_by(client_call_details), request_iterator)


def _credentials() -> grpc.ChannelCredentials:
    from event_store import credentials  # noqa: PLC0415 # slow to load, and no emulator needs it

    otherwise = f"set {credentials.FILE}, or name an emulator in PUBSUB_EMULATOR_HOST"
    token = credentials.access("Pub/Sub", [_SCOPE], otherwise)
    return grpc.composite_channel_credentials(grpc.ssl_channel_credentials(), token)
