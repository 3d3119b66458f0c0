"""The commands of `event-store`, one module each; see `event_store.cli.main`."""
