"""Dispatch messages to consumers: backlog, ordering, flow control, leases and deadlines."""
