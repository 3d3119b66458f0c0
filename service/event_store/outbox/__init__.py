"""From the log to the bus: one relay under a lease publishes each event at least once, in order per key."""
