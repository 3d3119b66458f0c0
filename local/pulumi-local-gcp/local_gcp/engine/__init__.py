"""Pulumi's command line, run against the local Google Cloud."""
