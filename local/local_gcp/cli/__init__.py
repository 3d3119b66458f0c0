"""The commands of `python -m local`, one per file."""
