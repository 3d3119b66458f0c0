"""The consumer's side: take messages, handle each event once in effect, tell Pub/Sub."""
