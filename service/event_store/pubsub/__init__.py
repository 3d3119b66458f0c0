"""Connect to Pub/Sub, publish and pull, and convert events to messages and back."""
