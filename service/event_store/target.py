"""The address of a service, and the gRPC channel to it."""

import asyncio
import ipaddress
import re
from typing import Any, Final

import google.auth.exceptions
import google.auth.transport.grpc
import google.auth.transport.requests
import google.oauth2.id_token
import grpc

from event_store.errors import ConfigurationError

DEFAULT: Final = "127.0.0.1:8080"
_TARGET: Final = re.compile(
    r"(?P<scheme>https?://)?(?P<host>\[[0-9a-fA-F:.]+\]|[^:/\s\[\]]+)(:(?P<port>[0-9]{1,5}))?/?"
)
# PostgreSQL may write an event's JSON longer than it came, and the service is trusted: any size is taken.
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    # A service that was restarted is found again within this time, however long it was away.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


async def open_channel(target: str) -> grpc.aio.Channel:
    """Open a channel; it connects with its first call.

    Args:
        target: `https://NAME` of a Cloud Run service (TLS, and an identity token with each call),
            `http://HOST:PORT` (neither), or `HOST:PORT` on this machine (neither).

    Raises:
        ConfigurationError: The target is none of these, or there is no identity to make tokens with.
    """
    match = _TARGET.fullmatch(target)
    if match and match["scheme"] == "https://":
        # In a thread, because it may have to ask a metadata server.
        identity = await asyncio.to_thread(_identity, f"https://{match['host']}")
        credentials = grpc.composite_channel_credentials(grpc.ssl_channel_credentials(), identity)
        return grpc.aio.secure_channel(
            f"{match['host']}:{match['port'] or 443}", credentials, options=_OPTIONS
        )
    if match and match["port"] and (match["scheme"] or _is_loopback(match["host"])):
        # Next door: a proxy that the environment names is not for it.
        options = (*_OPTIONS, ("grpc.enable_http_proxy", 0))
        return grpc.aio.insecure_channel(f"{match['host']}:{match['port']}", options=options)
    raise ConfigurationError(
        f"{target!r} is no target: give https://NAME for a Cloud Run service, HOST:PORT for one on this "
        "machine, or http://HOST:PORT for one elsewhere without encryption"
    )


def _identity(audience: str) -> grpc.CallCredentials:
    request = google.auth.transport.requests.Request()
    fetch: Any = google.oauth2.id_token.fetch_id_token_credentials
    plugin: Any = google.auth.transport.grpc.AuthMetadataPlugin  # Any: google-auth types neither of the two
    try:
        return grpc.metadata_call_credentials(plugin(fetch(audience, request), request))
    except google.auth.exceptions.GoogleAuthError as error:
        raise ConfigurationError(
            f"no identity to call {audience} with ({error}): run as a service account, or set "
            "GOOGLE_APPLICATION_CREDENTIALS to a file of one's credentials"
        ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
