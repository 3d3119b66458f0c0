"""The parts of one container seen from outside: revision, ingress, probes and metadata server."""
