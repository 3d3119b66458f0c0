"""The messages of Pub/Sub that we declare ourselves are Google's on the wire."""

from typing import Any

import pytest
from google.pubsub_v1.types import pubsub

from event_store.pubsub import messages_pb2

MESSAGES = messages_pb2.DESCRIPTOR.message_types_by_name


def _kinds(message: Any, fields: list[str]) -> dict[str, tuple[Any, ...]]:
    """Return what decides how each field is written."""
    own = message.fields_by_name
    return {
        name: (
            own[name].number,
            own[name].type,
            own[name].is_repeated,
            own[name].message_type and own[name].message_type.name,
        )
        for name in fields
    }


@pytest.mark.parametrize("name", MESSAGES)
def test_each_field_is_googles(name: str) -> None:
    """By name, number, type and repetition; a map is one on both sides, by the type of its entry."""
    google = getattr(pubsub, name).meta.pb.DESCRIPTOR
    fields = [*MESSAGES[name].fields_by_name]

    assert fields
    assert _kinds(MESSAGES[name], fields) == _kinds(google, fields)


def test_what_we_write_google_reads() -> None:
    """A message with every field, there and back."""
    message = messages_pb2.PubsubMessage(
        data=b"word", attributes={"a": "b"}, message_id="1", publish_time={"seconds": 5}, ordering_key="k"
    )
    google = pubsub.PubsubMessage.meta.pb.FromString(message.SerializeToString(deterministic=True))

    assert google.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)
    assert (google.attributes["a"], google.publish_time.seconds) == ("b", 5)
