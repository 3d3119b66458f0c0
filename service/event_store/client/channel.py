"""Check the address of a service, and open gRPC channels to it."""

import asyncio
import ipaddress
import re
from collections.abc import Callable
from functools import partial
from typing import Final

import grpc

from event_store import forking, keep_alive
from event_store.errors import ConfigurationError

DEFAULT: Final = "127.0.0.1:8080"
# The forms of a target, for help, errors and documents.
FORMS: Final = (
    "`https://NAME` for a Cloud Run service, `HOST:PORT` for one on this machine (`localhost` or a loopback "
    "address), or `http://HOST:PORT` for one elsewhere without encryption"
)
_TARGET: Final = re.compile(
    r"(?P<scheme>https?://)?(?P<host>\[[0-9a-fA-F:.]+\]|[^:/\s\[\]]+)(:(?P<port>[0-9]{1,5}))?/?"
)
_HIGHEST_PORT: Final = 65_535
_OPTIONS: Final = (
    # PostgreSQL may write an event's JSON longer than it was sent; the service is trusted, so accept any
    # size.
    ("grpc.max_receive_message_length", -1),
    # A restarted service is found again within this time, however long it was unreachable.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.min_reconnect_backoff_ms", 5_000),  # the time limit of one attempt to connect
    # Each channel has its own connection. gRPC would reuse a hung connection for a new channel.
    ("grpc.use_local_subchannel_pool", 1),
)


async def channels_to(target: str) -> Callable[[], grpc.aio.Channel]:
    """Return a function that opens a channel to a service; a channel connects with its first call.

    Args:
        target: See `FORMS`. With `https` each call carries an identity token.

    Raises:
        ConfigurationError: The target is invalid, there are no credentials for identity tokens, or this
            process was forked from one that uses gRPC.
        UnavailableError: The metadata server issues no token now.
    """
    forking.check_process()
    match = check(target)
    options = (*_OPTIONS, *keep_alive.client_options())
    if match["scheme"] == "https://":
        from event_store import credentials  # noqa: PLC0415 # slow to load, and only these targets need it

        # In a thread, because it may have to ask a metadata server.
        identity = await asyncio.to_thread(credentials.identity, f"https://{match['host']}")
        secure = grpc.composite_channel_credentials(grpc.ssl_channel_credentials(), identity)
        address = f"{match['host']}:{match['port'] or 443}"
        return partial(grpc.aio.secure_channel, address, secure, options=options)
    # On this machine or in this network: bypass the proxy of the environment.
    options = (*options, ("grpc.enable_http_proxy", 0))
    return partial(grpc.aio.insecure_channel, f"{match['host']}:{match['port']}", options=options)


def check(target: str) -> re.Match[str]:
    """Parse a target into scheme, host and port.

    Raises:
        ConfigurationError: The target is invalid.
    """
    match = _TARGET.fullmatch(target) if isinstance(target, str) else None
    if match and (match["port"] is None or 1 <= int(match["port"]) <= _HIGHEST_PORT):
        if match["scheme"] == "https://":
            return match
        if match["port"] and (match["scheme"] or _is_loopback(match["host"])):
            return match
    raise ConfigurationError(f"invalid target {target!r}: use {FORMS}")


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
