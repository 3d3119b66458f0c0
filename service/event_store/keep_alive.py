"""How a connection of gRPC that hangs is noticed: pings, which both sides must agree on.

A connection that is established but on which nothing comes any more, as behind a failover or a firewall that
forgot it, is ended by the side that pings: calls on it fail as if it had been refused, and can be repeated on
another. The service must allow the client's pings, or it ends the connection itself (`too_many_pings`).
"""

from typing import Final

# A hung connection is given up after both together, before a subscription that hears nothing gives up.
CLIENT_PING_SECONDS: Final = 10.0
CLIENT_PATIENCE_SECONDS: Final = 10.0
_SERVER_PING_SECONDS: Final = 60.0
_SERVER_PATIENCE_SECONDS: Final = 20.0
# For streams that wait: every other request to Pub/Sub has a deadline of its own.
PUBSUB_PING_SECONDS: Final = 60.0
PUBSUB_PATIENCE_SECONDS: Final = 10.0

Options = tuple[tuple[str, int], ...]


def client_options() -> Options:
    """Return the options of a channel: ping while a call is waiting, however long it says nothing itself."""
    return (
        ("grpc.keepalive_time_ms", _milliseconds(CLIENT_PING_SECONDS)),
        *_patience(CLIENT_PATIENCE_SECONDS),
        ("grpc.http2.max_pings_without_data", 0),  # no limit: a subscription only listens
    )


def server_options() -> Options:
    """Return the options of a server that takes the pings of `client_options`, and pings by itself."""
    return (
        ("grpc.keepalive_time_ms", _milliseconds(_SERVER_PING_SECONDS)),
        *_patience(_SERVER_PATIENCE_SECONDS),
        ("grpc.keepalive_permit_without_calls", 1),
        # Half of the client's time, since pings that leave regularly do not arrive so.
        ("grpc.http2.min_ping_interval_without_data_ms", _milliseconds(CLIENT_PING_SECONDS / 2)),
    )


def pubsub_options() -> Options:
    """Return the options of a channel to Pub/Sub, on which a stream may wait for messages for hours."""
    return ("grpc.keepalive_time_ms", _milliseconds(PUBSUB_PING_SECONDS)), *_patience(PUBSUB_PATIENCE_SECONDS)


def _patience(seconds: float) -> Options:
    # gRPC waits for the answer of a ping for the longer of the two; the second is a minute by default.
    milliseconds = _milliseconds(seconds)
    return ("grpc.keepalive_timeout_ms", milliseconds), ("grpc.http2.ping_timeout_ms", milliseconds)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
