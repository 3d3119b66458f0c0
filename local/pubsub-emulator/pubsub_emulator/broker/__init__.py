"""The broker's state: topics, subscriptions, their messages, leases and limits."""
