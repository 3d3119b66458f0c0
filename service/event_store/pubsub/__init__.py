"""Pub/Sub: the connection, publishing, pulling, and an event as a message."""
