"""The front of a worker pool, which accepts no connections."""

from collections.abc import Collection, Mapping


class NoFront:
    """A `Front` without an address, for revisions that accept no connections."""

    port = 0

    async def share(self, shares: Mapping[int, int]) -> None:
        """Do nothing: there are no connections."""

    async def send_on(self, leaving: Collection[int], timeout_seconds: float) -> None:
        """Return at once: there are no connections."""
