"""A canary for a Pub/Sub guarantee: after a dead letter, later messages of its ordering key arrive."""
