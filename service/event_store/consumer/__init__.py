"""Consume events from Pub/Sub: receive messages, handle each event once in effect, acknowledge."""
