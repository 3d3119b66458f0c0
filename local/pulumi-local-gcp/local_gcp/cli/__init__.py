"""The commands of `python -m local_gcp`, one per file."""
