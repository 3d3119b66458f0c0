"""The private network: an own one, or one that is there."""
