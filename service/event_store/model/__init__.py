"""Values that the client takes and returns: events, snapshots, replays and filters."""
