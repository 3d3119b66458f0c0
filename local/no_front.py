"""The front of what nobody connects to: a worker pool."""


class NoFront:
    """In place of a `Front`, where revisions need no address."""

    port = 0

    async def point_to(self, port: int) -> None:
        """Send nobody there."""

    async def drain(self, port: int, timeout_seconds: float) -> None:
        """Wait for nobody."""
