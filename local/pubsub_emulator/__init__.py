"""The embedded Pub/Sub of the local Google Cloud."""

from pubsub_emulator.broker.clock import Clock, ManualClock, SystemClock
from pubsub_emulator.server import PubSubServer

__all__ = ["Clock", "ManualClock", "PubSubServer", "SystemClock"]
