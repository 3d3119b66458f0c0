"""The connection to Pub/Sub: Google's, or the emulator that `PUBSUB_EMULATOR_HOST` names."""

import asyncio
import os
from typing import Any, Final

import google.auth
import google.auth.exceptions
import google.auth.transport.grpc
import google.auth.transport.requests
import grpc

from event_store import forking, keep_alive
from event_store.errors import ConfigurationError

_ADDRESS: Final = "pubsub.googleapis.com:443"
_SCOPE: Final = "https://www.googleapis.com/auth/pubsub"
_OPTIONS: Final = (
    ("grpc.max_reconnect_backoff_ms", 2_000),  # gRPC's own bound is two minutes
    ("grpc.max_receive_message_length", -1),  # a response of many messages is larger than gRPC's 4 MB
)


async def open_channel() -> grpc.aio.Channel:
    """Return a channel, which connects with its first request.

    Raises:
        ConfigurationError: There are no credentials, or this process was forked from one that uses gRPC.
    """
    forking.check_process()
    options = (*_OPTIONS, *keep_alive.pubsub_options())
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST", "")
    if emulator:
        # An emulator is next door: a proxy that the environment names is not for it.
        return grpc.aio.insecure_channel(emulator, options=(*options, ("grpc.enable_http_proxy", 0)))
    credentials = await asyncio.to_thread(_credentials)
    return grpc.aio.secure_channel(_ADDRESS, credentials, options=options)


def _credentials() -> grpc.ChannelCredentials:
    request = google.auth.transport.requests.Request()
    try:
        found, _ = google.auth.default(scopes=[_SCOPE])
    except google.auth.exceptions.GoogleAuthError as error:
        raise ConfigurationError(
            f"no credentials for Pub/Sub ({error}): run as a service account, set "
            "GOOGLE_APPLICATION_CREDENTIALS, or name an emulator in PUBSUB_EMULATOR_HOST"
        ) from None
    plugin: Any = google.auth.transport.grpc.AuthMetadataPlugin  # Any: google-auth gives it no types
    return grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(), grpc.metadata_call_credentials(plugin(found, request))
    )
