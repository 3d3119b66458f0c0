"""Read the positions of the log, the relay and each topic."""

from collections.abc import Iterable
from importlib.metadata import version

from google.protobuf.duration_pb2 import Duration

from event_store.database.pool import Database, Row
from event_store.errors import SchemaError
from event_store.server import queries
from event_store.v1 import event_store_pb2 as pb


class Overview:
    """Reads the status of the service.

    Args:
        database: The database with the log.
        topics: The paths of all topics of the routing.
    """

    def __init__(self, database: Database, topics: Iterable[str]) -> None:
        self._database = database
        self._topics = list(topics)

    async def status(self) -> pb.GetStatusResponse:
        """Return the positions of the log, the relay and each topic, and the running versions.

        Raises:
            SchemaError: The initial row of log_head or relays is missing.
        """
        row = await (await self._database.execute(queries["status"])).fetchone()
        cursor = await self._database.execute(queries["status_by_topic"], {"topics": self._topics})
        by_topic = await cursor.fetchall()
        if row is None:
            raise SchemaError("the rows of log_head or relays are missing: restore them from a backup")
        head_position, relay_position, relay_owner, lag_microseconds, schema_revision = row
        topics = [_topic_status(head_position, each) for each in by_topic]
        return pb.GetStatusResponse(
            head_position=head_position,
            relay_position=relay_position,
            relay_owner=relay_owner,
            parked_messages=sum(each.parked_messages for each in topics),
            service_version=version("gcp-event-store"),
            schema_revision=schema_revision,
            lag_events=max(0, head_position - relay_position),
            lag_age=_duration(lag_microseconds),
            topics=topics,
        )

    async def notification_queue_usage(self) -> float:
        """Return how full the database server's notification queue is, from 0 to 1."""
        row = await (await self._database.execute(queries["notification_queue_usage"])).fetchone()
        return float(row[0]) if row else 0.0


def _topic_status(head_position: int, row: Row) -> pb.TopicStatus:
    topic, position, lag_microseconds, parked_messages, oldest_microseconds, blocked_keys = row
    status = pb.TopicStatus(
        topic=topic,
        position=position,
        lag_events=max(0, head_position - position),  # the head was read before
        lag_age=_duration(lag_microseconds),
        parked_messages=parked_messages,
        blocked_keys=blocked_keys,
    )
    if oldest_microseconds is not None:
        status.oldest_parked_at.FromMicroseconds(oldest_microseconds)
    return status


def _duration(microseconds: int) -> Duration:
    duration = Duration()
    duration.FromMicroseconds(max(0, microseconds))  # the database's clock may be set back
    return duration
