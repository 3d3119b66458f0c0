"""Log a heartbeat once a minute; alerts read its fields.

Invariants:

- Every instance logs the relay's lag from the database, so it is known even if no relay runs.
- While the database is unreachable there is no heartbeat. A missing heartbeat raises an alert of its own.
"""

import asyncio
import logging
from typing import Final, NoReturn

from event_store.errors import EventStoreError
from event_store.log.latency import Latency
from event_store.server.status_query import Overview

INTERVAL_SECONDS: Final = 60.0
MOST_QUEUE_USAGE: Final = 0.1  # well below the half beyond which appends give no hints
_FRACTION: Final = 0.99

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)  # at any level of the service: a missing heartbeat raises an alert


class Heartbeat:
    """Logs the heartbeat of an instance.

    Args:
        overview: The source of the status.
        appends: The latencies of appends.
    """

    def __init__(self, overview: Overview, appends: Latency) -> None:
        self._overview = overview
        self._appends = appends

    async def run(self) -> NoReturn:
        """Log a heartbeat once a minute, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            await self.beat()

    async def beat(self) -> None:
        """Log one heartbeat; a warning instead if the database is unreachable."""
        try:
            status = await self._overview.status()
            queue_usage = await self._overview.notification_queue_usage()
        except EventStoreError as error:
            logger.warning("no heartbeat, cannot read the status: %s", error)
            return
        fields: dict[str, object] = {
            "head_position": status.head_position,
            "relay_position": status.relay_position,
            "relay_lag_seconds": status.lag_age.ToMicroseconds() / 1_000_000,
            "parked_messages": status.parked_messages,
            "notification_queue_usage": queue_usage,
        }
        append_seconds = self._appends.take(_FRACTION)
        if append_seconds is not None:
            fields["append_seconds"] = append_seconds
        logger.info("heartbeat", extra=fields)
        if queue_usage > MOST_QUEUE_USAGE:
            logger.warning(
                "the database's notification queue is %.0f %% full: a listening session stays in a "
                "transaction. Appends continue, but other instances notice them later: see "
                "docs/howto/runbook.md",
                100 * queue_usage,
            )
