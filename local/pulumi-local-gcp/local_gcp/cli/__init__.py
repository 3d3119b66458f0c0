"""The commands of `local-gcp`, one per file."""
