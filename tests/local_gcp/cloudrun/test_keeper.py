"""Who keeps a revision running never gives up, and ends when asked to."""

import asyncio

import pytest

from local_gcp.cloudrun import keeper
from local_gcp.cloudrun.keeper import Keeper
from local_gcp.container.revision import Revision
from local_gcp.resource.errors import CloudError

PATIENCE_SECONDS = 30


async def test_what_does_not_become_ready_is_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause doubles up to its longest and stays there, so a cause that has gone is noticed soon."""
    monkeypatch.setattr(keeper, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(keeper, "_LONGEST_PAUSE_SECONDS", 0.02)
    attempts: asyncio.Queue[int] = asyncio.Queue()
    count = 0

    async def start() -> Revision:
        nonlocal count
        count += 1
        attempts.put_nowait(count)
        raise CloudError("it is not ready")

    async def changed() -> None:
        raise AssertionError("nothing has become ready, and nothing has ended")

    kept = Keeper(start, changed)
    await kept.resume()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await attempts.get() < 20:
            pass
    await kept.stop()
    await kept.stop()

    assert (kept.port, kept.pid) == (0, 0)
