"""A canary for one promise of Pub/Sub's: an ordering key goes on after its message became a dead letter."""
