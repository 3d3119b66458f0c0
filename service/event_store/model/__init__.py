"""The values that cross the boundary: events, snapshots, replays, filters."""
