"""TCP ports of 127.0.0.1."""

import socket


def free_port(wanted: int = 0) -> int:
    """Return a port that nobody uses now: `wanted` if it is free, else one of the system's choice."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
