"""What the works append: events of about 270 bytes of data and 115 of metadata, on new aggregates."""

import random
import time
from collections.abc import Iterator
from uuid import uuid4

import orjson
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp

from event_store.model.events import new_event_id
from event_store.v1 import event_store_pb2 as pb

_LETTERS = "abcdefghijklmnopqrstuvwxyz "
_TYPES = ("WordAdded", "WordLearned", "WordForgotten", "WordTranslated")
_random = random.Random(7)  # noqa: S311 # the same words in each run


def _text(length: int) -> str:
    return "".join(_random.choices(_LETTERS, k=length))


def _event() -> pb.NewEvent:
    data = {
        "word": _text(12),
        "language": "en",
        "translation": {"language": "cs", "text": _text(30)},
        "level": _random.randint(1, 9),
        "tags": ["noun", "travel"],
        "note": _text(90),
        "source": {"book": _text(10), "page": _random.randint(1, 500)},
    }
    metadata = {
        "correlation_id": str(uuid4()),
        "user_id": f"user-{_random.randint(1, 9999):04}",
        "client": "web",
    }
    occurred_at = Timestamp()
    occurred_at.FromMicroseconds(time.time_ns() // 1000 - _random.randint(0, 10_000_000))
    return pb.NewEvent(
        event_id=new_event_id(),
        event_type=_random.choice(_TYPES),
        event_data=orjson.dumps(data),
        metadata=orjson.dumps(metadata),
        occurred_at=occurred_at,
    )


def new_aggregate(events: int) -> pb.AppendEventsRequest:
    """Return a request that appends some events to a new aggregate."""
    append = pb.AggregateAppend(
        aggregate_id=str(uuid4()),
        aggregate_type="Vocabulary",
        expected_version=pb.ExpectedVersion(no_stream=Empty()),
        events=[_event() for _ in range(events)],
    )
    return pb.AppendEventsRequest(appends=[append])


def copy_lines(requests: list[pb.AppendEventsRequest], position: int) -> bytes:
    """Return the rows of some requests in the form that COPY takes."""
    return "".join("\t".join(row) + "\n" for row in _rows(requests, position)).encode()


def _rows(requests: list[pb.AppendEventsRequest], position: int) -> Iterator[tuple[str, ...]]:
    for request in requests:
        for append in request.appends:
            for version, event in enumerate(append.events, 1):
                position += 1
                yield (
                    event.event_id,
                    append.aggregate_id,
                    append.aggregate_type,
                    event.event_type,
                    str(version),
                    event.event_data.decode(),
                    event.metadata.decode(),
                    event.occurred_at.ToJsonString(),
                    str(position),
                )
