"""Schemas: their revisions, and which messages fit."""
