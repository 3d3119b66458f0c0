"""One container from outside: its revision, its ingress, its probe, its metadata server."""
