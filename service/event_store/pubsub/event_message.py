"""Convert an event of the log to a Pub/Sub message."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from event_store.model.correlation import correlation_of
from event_store.pubsub.messages_pb2 import PubsubMessage

REPLAY_ID: Final = "replay_id"
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 # a zone would be written as +00:00 instead of Z


class EventRow(NamedTuple):
    """A row of the query `read_all_forwards`: JSON is text, times are microseconds since 1970.

    The last row is not an event and only has `head_position` and `more`.
    """

    head_position: int
    event_id: str
    event_type: str
    event_data: str
    metadata: str
    occurred_at_microseconds: int
    aggregate_id: str
    aggregate_type: str
    event_version: int
    global_position: int
    created_at_microseconds: int
    more: bool


@dataclass(frozen=True, slots=True)
class Content:
    """The data and attributes that an event's messages share on all topics.

    Attributes:
        data: The event as a JSON object, with `event_data` and `metadata` as PostgreSQL wrote them.
        attributes: The attributes, which subscriptions can filter on.
    """

    data: bytes
    attributes: Mapping[str, str]

    @classmethod
    def of(cls, row: EventRow) -> "Content":
        """Convert a row to the content of its messages."""
        occurred_at = _rfc3339(row.occurred_at_microseconds)
        created_at = _rfc3339(row.created_at_microseconds)
        data = (
            f'{{"event_id":"{row.event_id}","aggregate_id":"{row.aggregate_id}",'
            f'"aggregate_type":{_quoted(row.aggregate_type)},"event_type":{_quoted(row.event_type)},'
            f'"event_version":{row.event_version},"event_data":{row.event_data},"metadata":{row.metadata},'
            f'"occurred_at":"{occurred_at}","created_at":"{created_at}",'
            f'"global_position":{row.global_position}}}'
        )
        attributes = {
            "event_id": row.event_id,
            "event_type": row.event_type,
            "event_version": str(row.event_version),
            "aggregate_id": row.aggregate_id,
            "aggregate_type": row.aggregate_type,
            "global_position": str(row.global_position),
            "occurred_at": occurred_at,
        }
        attributes.update(correlation_of(row.metadata))
        return cls(data.encode(), attributes)

    def message(self, ordering_key: str, replay_id: str = "") -> PubsubMessage:
        """Return a `PubsubMessage`, with the attribute `replay_id` unless that is empty."""
        attributes = {**self.attributes, REPLAY_ID: replay_id} if replay_id else self.attributes
        return PubsubMessage(data=self.data, attributes=attributes, ordering_key=ordering_key)


def _rfc3339(microseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=1024)  # types are few
def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
