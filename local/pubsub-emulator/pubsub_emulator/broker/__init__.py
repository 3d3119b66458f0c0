"""What the server holds: topics, subscriptions, their messages, leases and limits."""
