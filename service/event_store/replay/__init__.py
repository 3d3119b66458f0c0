"""A part of the log published again, under a lease of its own."""
