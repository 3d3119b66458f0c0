"""Pulumi's provider protocol, implemented by the local Google Cloud."""
