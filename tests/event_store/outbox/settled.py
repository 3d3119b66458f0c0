"""A settlement that keeps what it is told."""

from collections.abc import Sequence

from event_store.errors import InvalidArgumentError
from event_store.outbox.publish_loop import Pending


class Settled:
    """Where nothing may be parked.

    Attributes:
        ordering_keys: Of the messages that were published, in that order.
    """

    def __init__(self) -> None:
        self.ordering_keys: list[str] = []

    async def park(self, pending: Pending, error: InvalidArgumentError) -> None:
        raise AssertionError(pending) from error

    async def park_behind(self, request: Sequence[Pending]) -> bool:  # noqa: ARG002 # the protocol's
        return False

    def settled(self, request: Sequence[Pending]) -> None:
        self.ordering_keys += [pending.message.ordering_key for pending in request]
