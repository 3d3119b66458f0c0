"""Configure gRPC keep-alive pings, which detect a hung connection.

A connection hangs if it is established but receives nothing, as after a failover or behind a firewall that
dropped its state. The side that pings closes it: its calls fail with UNAVAILABLE and can be repeated on
another connection. The service must allow the client's pings, or it closes the connection itself
(`too_many_pings`).
"""

from typing import Final

# A hung connection is closed after the sum of both, before a silent subscription times out.
CLIENT_PING_SECONDS: Final = 10.0
CLIENT_PATIENCE_SECONDS: Final = 10.0
_SERVER_PING_SECONDS: Final = 60.0
_SERVER_PATIENCE_SECONDS: Final = 20.0
# For waiting streams: every other request to Pub/Sub has a deadline of its own.
PUBSUB_PING_SECONDS: Final = 60.0
PUBSUB_PATIENCE_SECONDS: Final = 10.0

Options = tuple[tuple[str, int], ...]


def client_options() -> Options:
    """Return the options of a client's channel, which pings as long as a call is open."""
    return (
        ("grpc.keepalive_time_ms", _milliseconds(CLIENT_PING_SECONDS)),
        *_patience(CLIENT_PATIENCE_SECONDS),
        ("grpc.http2.max_pings_without_data", 0),  # no limit: a subscription only listens
    )


def server_options() -> Options:
    """Return the options of a server that allows the pings of `client_options` and pings its clients."""
    return (
        ("grpc.keepalive_time_ms", _milliseconds(_SERVER_PING_SECONDS)),
        *_patience(_SERVER_PATIENCE_SECONDS),
        ("grpc.keepalive_permit_without_calls", 1),
        # Half of the client's time, since pings that leave regularly do not arrive so.
        ("grpc.http2.min_ping_interval_without_data_ms", _milliseconds(CLIENT_PING_SECONDS / 2)),
    )


def pubsub_options() -> Options:
    """Return the options of a channel to Pub/Sub, where a stream may wait for messages for hours."""
    return ("grpc.keepalive_time_ms", _milliseconds(PUBSUB_PING_SECONDS)), *_patience(PUBSUB_PATIENCE_SECONDS)


def _patience(seconds: float) -> Options:
    # gRPC waits for the answer of a ping for the longer of the two; the second is a minute by default.
    milliseconds = _milliseconds(seconds)
    return ("grpc.keepalive_timeout_ms", milliseconds), ("grpc.http2.ping_timeout_ms", milliseconds)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
