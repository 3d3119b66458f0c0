"""Every error has a status of its own."""

from collections.abc import Iterator

import grpc
import pytest

from event_store import errors
from event_store.contract.error_status import _TABLE
from event_store.errors import EventStoreError


def descendants(error: type[EventStoreError]) -> Iterator[type[EventStoreError]]:
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from descendants(child)


@pytest.mark.parametrize("error", list(descendants(EventStoreError)))
def test_every_error_of_the_tree_has_a_status(error: type[EventStoreError]) -> None:
    """No error that we raise on purpose reaches a client as INTERNAL or UNKNOWN."""
    row = next(row for row in _TABLE if issubclass(error, row.error))

    assert row.code not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
