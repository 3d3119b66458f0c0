"""What gRPC asks of processes: one that was forked from a process that used it cannot use it.

Its threads are not in the child, so that every call there would wait forever, beyond its own deadline.
"""

import os

from event_store.errors import ConfigurationError

_user = 0  # the process that has opened a channel, or which this one was forked from


def check_process() -> None:
    """Note that this process uses gRPC.

    Raises:
        ConfigurationError: It was forked from a process that did so before.
    """
    global _user  # noqa: PLW0603 # as the state of gRPC, it is the process's own
    process = os.getpid()
    if _user not in (0, process):
        raise ConfigurationError(
            f"process {process} was forked from one that had opened a connection, and gRPC does not work "
            "there: fork before the first connection is opened, or start processes by multiprocessing's "
            "'spawn' or 'forkserver'"
        )
    _user = process
