"""The front of what nobody connects to: a worker pool."""

from collections.abc import Collection, Mapping


class NoFront:
    """In place of a `Front`, where revisions need no address."""

    port = 0

    async def share(self, shares: Mapping[int, int]) -> None:
        """Send nobody anywhere."""

    async def send_on(self, leaving: Collection[int], timeout_seconds: float) -> None:
        """Wait for nobody."""
