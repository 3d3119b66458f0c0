"""The gRPC services of the Pub/Sub API."""
