"""Check requests against the contract's limits, and convert errors to gRPC statuses and back."""
