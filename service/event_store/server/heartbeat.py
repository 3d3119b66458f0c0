"""The line that says once a minute how the service is; alerts are made of its fields.

Invariants:

- Every instance tells the relay's lag, whoever relays, from the database: it is known even if nobody relays.
- A minute in which the database cannot be asked has no line. Its silence is an alert of its own.
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
logger.setLevel(logging.INFO)  # whatever the service's own level is: without the line an alert rings


class Vitals:
    """Tells how the service is.

    Args:
        overview: Knows how far log and relay are.
        appends: How long appends took.
    """

    def __init__(self, overview: Overview, appends: Latency) -> None:
        self._overview = overview
        self._appends = appends

    async def run(self) -> NoReturn:
        """Tell once a minute, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            await self.tell()

    async def tell(self) -> None:
        """Write the line."""
        try:
            status = await self._overview.status()
            queue_usage = await self._overview.notification_queue_usage()
        except EventStoreError as error:
            logger.warning("cannot tell how the log and the relay are: %s", error)
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
        logger.info("vitals", extra=fields)
        if queue_usage > MOST_QUEUE_USAGE:
            logger.warning(
                "the database's queue of notifications is %.0f %% full: a session that listens stays in a "
                "transaction. Appends go on, other instances hear of them later: see docs/howto/runbook.md",
                100 * queue_usage,
            )
