"""Reject gRPC calls in a process that was forked from one that used gRPC.

The child process has none of gRPC's threads, so a call there would wait forever, beyond its deadline.
"""

import os

from event_store.errors import ConfigurationError

_user = 0  # the id of the process that opened the first channel, also after a fork


def check_process() -> None:
    """Note that this process uses gRPC.

    Raises:
        ConfigurationError: This process was forked from one that used gRPC.
    """
    global _user  # noqa: PLW0603 # as the state of gRPC, it is the process's own
    process = os.getpid()
    if _user not in (0, process):
        raise ConfigurationError(
            f"gRPC does not work in process {process}, which was forked after a connection had been opened: "
            "fork before the first connection, or start processes with multiprocessing's 'spawn' or "
            "'forkserver'"
        )
    _user = process
