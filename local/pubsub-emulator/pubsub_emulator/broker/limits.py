"""Check Google's limits; each is checked only here.

Sources: cloud.google.com/pubsub/quotas#resource_limits, /pubsub/docs/pubsub-basics#resource_names,
/pubsub/docs/labels and the comments of google/pubsub/v1/pubsub.proto.
"""

import re
from collections.abc import Mapping
from typing import Any

from pubsub_emulator.errors import InvalidArgumentError

RETENTION_SECONDS = (600, 2_678_400)
RETENTION_DEFAULT_SECONDS = 604_800
ACK_DEADLINE_SECONDS = (10, 600)
ACK_DEADLINE_DEFAULT_SECONDS = 10
MODIFY_DEADLINE_SECONDS = (0, 600)
BACKOFF_SECONDS = (0, 600)
BACKOFF_DEFAULT_SECONDS = (10, 600)
DELIVERY_ATTEMPTS = (5, 100)
DELIVERY_ATTEMPTS_DEFAULT = 5
EXPIRATION_MINIMUM_SECONDS = 86_400
EXPIRATION_DEFAULT_SECONDS = 2_678_400
FILTER_BYTES = 256
SCHEMA_BYTES = 300_000
SCHEMA_REVISIONS = 20
ACKNOWLEDGE_BYTES = 524_288
PUBLISH_MESSAGES = 1_000
PUBLISH_BYTES = 10_000_000
ATTRIBUTES = 100
ATTRIBUTE_KEY_BYTES = 256
CLIENT_ATTRIBUTES = "googclient_"  # as in googclient_traceparent, with OpenTelemetry
ATTRIBUTE_VALUE_BYTES = 1_024
ORDERING_KEY_BYTES = 1_024
LABELS = 64
PULL_MESSAGES = 1_000
SNAPSHOT_LIFE_SECONDS = 604_800
SNAPSHOT_LIFE_MINIMUM_SECONDS = 3_600

_PROJECT = re.compile(r"projects/[a-z0-9][a-z0-9.:-]*", re.ASCII)
_NAME = re.compile(
    r"projects/[a-z0-9][a-z0-9.:-]*/(?P<kind>[a-z]+)/(?P<id>[A-Za-z][\w.~+%-]{2,254})", re.ASCII
)
_KEY = re.compile(r"projects/[^/]+/locations/[\w-]+/keyRings/[\w-]{1,63}/cryptoKeys/[\w-]{1,63}", re.ASCII)
_REGION = re.compile(r"[a-z]+(-[a-z]+)+\d+", re.ASCII)
_SECOND_NANOS = 10**9
_LABEL = re.compile(r"[\w-]{0,63}")


def check_name(name: str, kind: str) -> None:
    """Reject a name that is not `projects/PROJECT/<kind>/ID` with an id of 3 to 255 allowed characters."""
    match = _NAME.fullmatch(name)
    if match is None or match["kind"] != kind or match["id"].lower().startswith("goog"):
        raise InvalidArgumentError(
            f"Invalid resource name given (name={name}): it must be projects/PROJECT/{kind}/ID, where ID has"
            " 3 to 255 letters, digits or -_.~+%, begins with a letter and not with goog. Refer to"
            " https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
        )


def check_project(name: str) -> None:
    """Reject a name that is not `projects/PROJECT`."""
    if not _PROJECT.fullmatch(name):
        raise InvalidArgumentError(f"Invalid project name given (name={name}): it must be projects/PROJECT.")


def check_range(field: str, value: float, bounds: tuple[int, int], unit: str = "seconds") -> None:
    """Reject a number outside of its bounds (inclusive)."""
    low, high = bounds
    if not low <= value <= high:
        raise InvalidArgumentError(
            f"The value for {field} is out of bounds. You passed {value:g} in the request, but the value must"
            f" be between {low} and {high} {unit}."
        )


def check_labels(labels: Mapping[str, str]) -> None:
    """Reject too many labels, and keys or values that are too long or have invalid characters."""
    if len(labels) > LABELS:
        raise InvalidArgumentError(f"Too many labels: {len(labels)}; at most {LABELS} are allowed.")
    for key, value in labels.items():
        fits = _LABEL.fullmatch(key) and _LABEL.fullmatch(value) and key[:1].isalpha()
        if not fits or key != key.lower() or value != value.lower():
            raise InvalidArgumentError(
                f"Invalid label {key!r}={value!r}: keys and values have at most 63 lower-case letters,"
                " digits, - or _, and keys begin with a letter."
            )


def seconds_of(field: str, duration: Any) -> float:
    """Convert a Duration to seconds; reject nanoseconds of another sign, or of 1 s or more."""
    seconds, nanos = duration.seconds, duration.nanos
    if abs(nanos) >= _SECOND_NANOS or seconds * nanos < 0:
        raise InvalidArgumentError(f"Invalid {field}: {seconds} s and {nanos} ns are not a duration.")
    return float(seconds + nanos / _SECOND_NANOS)


def check_storage_policy(topic: Any) -> None:
    """Reject a storage policy without regions, or with an invalid region name."""
    if not topic.HasField("message_storage_policy"):
        return
    regions = topic.message_storage_policy.allowed_persistence_regions
    if not regions:
        raise InvalidArgumentError(
            "Invalid message_storage_policy: allowed_persistence_regions must not be empty; leave out the"
            " policy to allow every region."
        )
    for region in regions:
        if not _REGION.fullmatch(region):
            raise InvalidArgumentError(
                f"Invalid message_storage_policy: {region!r} is not a region, such as europe-west1."
            )


def check_kms_key(name: str) -> None:
    """Reject an encryption key's name that is not a Cloud KMS CryptoKey; "" means no key."""
    if name and not _KEY.fullmatch(name):
        raise InvalidArgumentError(
            f"Invalid kms_key_name {name!r}: it must be"
            " projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY."
        )


def check_acknowledgement(request: Any) -> None:
    """Reject an AcknowledgeRequest or ModifyAckDeadlineRequest with no ack ids, or too many."""
    if not request.ack_ids:
        raise InvalidArgumentError("No ack ids specified.")
    size_bytes = request.ByteSize()
    if size_bytes > ACKNOWLEDGE_BYTES:
        raise InvalidArgumentError(
            f"Request payload size exceeds the limit: {size_bytes} of {ACKNOWLEDGE_BYTES} bytes."
        )


def check_publish(messages: list[Any], request_bytes: int) -> None:
    """Reject an invalid publish request as a whole, before a message is stored."""
    if not messages:
        raise InvalidArgumentError("The value for message_count is too small. You passed 0 in the request.")
    if len(messages) > PUBLISH_MESSAGES:
        raise InvalidArgumentError(
            f"The value for message_count is too large. You passed {len(messages)} in the request, but the"
            f" maximum value is {PUBLISH_MESSAGES}."
        )
    if request_bytes > PUBLISH_BYTES:
        raise InvalidArgumentError(
            f"The value for request_size is too large. You passed {request_bytes} in the request, but the"
            f" maximum value is {PUBLISH_BYTES}."
        )
    ordering_key = messages[0].ordering_key
    if len(ordering_key.encode()) > ORDERING_KEY_BYTES:
        raise InvalidArgumentError(
            f"The ordering key is too long: at most {ORDERING_KEY_BYTES} bytes are allowed."
        )
    for message in messages:
        if message.ordering_key != ordering_key:
            raise InvalidArgumentError(
                "In a single publish request, all messages must have no ordering key or they must all have"
                " the same ordering key."
            )
        if message.attributes:
            check_attributes(message.attributes)
        elif not message.data:
            raise InvalidArgumentError(
                "One or more messages in the publish request is empty. Each message must contain either"
                " non-empty data, or at least one attribute."
            )


def check_attributes(attributes: Mapping[str, str]) -> None:
    """Reject too many attributes, or one that is too long or has a reserved key."""
    if len(attributes) > ATTRIBUTES:
        raise InvalidArgumentError(
            f"A message has too many attributes: {len(attributes)}; at most {ATTRIBUTES} are allowed."
        )
    for key, value in attributes.items():
        if not key or len(key.encode()) > ATTRIBUTE_KEY_BYTES:
            raise InvalidArgumentError(
                f"The attribute key {key[:40]!r} must have 1 to {ATTRIBUTE_KEY_BYTES} bytes."
            )
        if key.startswith("goog") and not key.startswith(CLIENT_ATTRIBUTES):
            raise InvalidArgumentError(
                f"The attribute key {key!r} is reserved: only keys of Google's own clients, which begin with"
                f" {CLIENT_ATTRIBUTES}, may begin with goog."
            )
        if len(value.encode()) > ATTRIBUTE_VALUE_BYTES:
            raise InvalidArgumentError(
                f"The value of the attribute {key!r} is too long: at most {ATTRIBUTE_VALUE_BYTES} bytes are"
                " allowed."
            )
