"""A Pub/Sub emulator: a gRPC server for Google's own client libraries."""

from pubsub_emulator.broker.clock import Clock, ManualClock, SystemClock
from pubsub_emulator.server import ListenError, PubSubServer

__all__ = ["Clock", "ListenError", "ManualClock", "PubSubServer", "SystemClock"]
