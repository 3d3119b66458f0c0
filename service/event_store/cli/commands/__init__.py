"""The commands of `event-store`, a module for each."""
