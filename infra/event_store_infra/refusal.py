"""What a Pulumi program tells whoever runs it with wrong settings."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pulumi

from event_store.errors import ConfigurationError

# Tells the language host that the user has been told, and needs no traceback.
_USER_WAS_TOLD: Final = 32


@contextmanager
def one_message() -> Iterator[None]:
    """Let a `ConfigurationError` end the Pulumi program with its message alone.

    Parse what is configured within it, before the first resource is declared.

    Raises:
        SystemExit: There was one. Pulumi prints the message without a traceback.
    """
    try:
        yield
    except ConfigurationError as error:
        pulumi.log.error(str(error))
        sys.exit(_USER_WAS_TOLD)
