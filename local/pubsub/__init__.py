"""The embedded Pub/Sub of the local Google Cloud."""

from local.pubsub.clock import Clock, ManualClock, SystemClock
from local.pubsub.server import PubSubServer

__all__ = ["Clock", "ManualClock", "PubSubServer", "SystemClock"]
