"""Ports of 127.0.0.1."""

import socket

from local_gcp.errors import SetupError


def free_port(wanted: int = 0) -> int:
    """Return a free port: the wanted one if it is free, else any."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refuse_taken_port(port: int, flag: str) -> None:
    """Refuse a port that cannot be used.

    Args:
        port: The port.
        flag: The flag of `up` that chooses another port.

    Raises:
        SetupError: The port cannot be used.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SetupError(
                f"port {port} on 127.0.0.1 cannot be used ({error.strerror}): stop what listens there, "
                f"or choose another port with {flag}, 0 for a free one"
            ) from None
