"""A published message, as every subscription of its topic shares it."""

from typing import Any, NamedTuple

from pubsub_emulator import wire


class Message(NamedTuple):
    """One message; a tuple because a hundred thousand of them are made in a second or two.

    Attributes:
        sequence: The number behind the message id; it grows with every message of the server.
        publish_time: Seconds since 1970.
        ordering_key: "" for none.
        payload: The PubsubMessage with its id and time, serialised once for all deliveries.
    """

    sequence: int
    publish_time: float
    ordering_key: str
    payload: bytes

    @property
    def size_bytes(self) -> int:
        """What the message counts for in flow control."""
        return len(self.payload)

    def parse(self) -> Any:
        """The PubsubMessage."""
        return wire.PubsubMessage.FromString(self.payload)
