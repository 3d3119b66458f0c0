"""An emulator of Pub/Sub: a gRPC server that Google's own clients take for it."""

from pubsub_emulator.broker.clock import Clock, ManualClock, SystemClock
from pubsub_emulator.server import ListenError, PubSubServer

__all__ = ["Clock", "ListenError", "ManualClock", "PubSubServer", "SystemClock"]
