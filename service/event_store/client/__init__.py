"""The client: appends, reads, subscriptions, imports and replays over gRPC."""
