"""Pulumi's provider protocol, answered by the local Google Cloud."""
