"""How far the log, the relay and each topic are."""

from collections.abc import Iterable
from importlib.metadata import version

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from event_store.database import Database, queries
from event_store.errors import SchemaError
from event_store.v1 import event_store_pb2 as pb


class Overview:
    """Tells the status of the service.

    Args:
        database: Lends a connection.
        topics: The paths of all topics that events go to.
    """

    def __init__(self, database: Database, topics: Iterable[str]) -> None:
        self._database = database
        self._topics = frozenset(topics)

    async def status(self) -> pb.GetStatusResponse:
        """Return how far the log, the relay and each topic are, and which versions run.

        Raises:
            SchemaError: A row that the schema begins with is missing.
        """
        async with self._database.connection() as connection:
            row = await (await connection.execute(queries["status"])).fetchone()
            parked = await (await connection.execute(queries["parked_by_topic"])).fetchall()
        if row is None:
            raise SchemaError("the rows of log_head or relays are missing: restore them from a backup")
        head_position, relay_position, relay_owner, lag_microseconds, schema_revision = row
        lag_age = Duration()
        lag_age.FromMicroseconds(max(0, lag_microseconds))
        topics = {topic: pb.TopicStatus(topic=topic) for topic in self._topics}
        for topic, count, oldest_microseconds in parked:
            oldest = Timestamp()
            oldest.FromMicroseconds(oldest_microseconds)
            topics[topic] = pb.TopicStatus(topic=topic, parked_messages=count, oldest_parked_at=oldest)
        return pb.GetStatusResponse(
            head_position=head_position,
            relay_position=relay_position,
            relay_owner=relay_owner,
            parked_messages=sum(each.parked_messages for each in topics.values()),
            service_version=version("event-store"),
            schema_revision=schema_revision,
            lag_events=max(0, head_position - relay_position),
            lag_age=lag_age,
            topics=[topics[topic] for topic in sorted(topics)],
        )
