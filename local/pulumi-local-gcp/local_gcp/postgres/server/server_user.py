"""The user that PostgreSQL runs as: `nobody` for root, since PostgreSQL refuses root."""

import os
import pwd
import sys
from collections.abc import Sequence
from typing import Final

# Runs in the child before the server: no code of ours between fork and exec, so threads and gRPC do no harm.
_DROP_AND_EXEC: Final = """
import ctypes, os, sys
parent, user, group = map(int, sys.argv[1:4])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(group); os.setuid(user)
if sys.platform == 'linux':
    ctypes.CDLL(None).prctl(1, 2)  # PR_SET_PDEATHSIG, SIGINT: after setuid, which clears it
    if os.getppid() != parent:
        sys.exit(1)
os.umask(0o077)
os.execv(sys.argv[4], sys.argv[4:])
"""


def server_user() -> tuple[int, int]:
    """Return the server's user and group."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")  # needs an entry in the system's list of users: `initdb` looks it up
    return nobody.pw_uid, nobody.pw_gid


def as_server_user(command: Sequence[str]) -> list[str]:
    """Wrap a command so that it runs as the server's user and ends with this process."""
    numbers = map(str, (os.getpid(), *server_user()))
    return [sys.executable, "-I", "-S", "-c", _DROP_AND_EXEC, *numbers, *command]
