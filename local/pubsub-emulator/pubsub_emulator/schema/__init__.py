"""Schemas: their revisions, and the validation of messages."""
