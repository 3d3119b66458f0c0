"""Call the event store over gRPC: appends, reads, subscriptions, imports, snapshots and replays."""
