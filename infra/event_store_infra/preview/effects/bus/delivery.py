"""How a subscription delivers: by pull, by push, or by writing to BigQuery or Cloud Storage.

Each way is one block, judged as a whole, since the way is changed by one block going and another coming.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from event_store_infra.preview.effects.effect import HARMLESS, Effect, Rule, less_safe, loses, stops
from event_store_infra.preview.effects.rules import begins, block, changes, ends, moves
from event_store_infra.preview.markdown import code

_BIGQUERY: Final = "https://docs.cloud.google.com/pubsub/docs/bigquery"
_STORAGE: Final = "https://docs.cloud.google.com/pubsub/docs/cloudstorage"
_PUSH: Final = "https://docs.cloud.google.com/pubsub/docs/push"
_TOKENS: Final = "https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions"
_INSTEAD: Final = "add a subscription beside it that delivers the other way."
_PULLED: Final = stops(
    "whoever pulls from the subscription: its messages are delivered without being asked for",
    "https://docs.cloud.google.com/pubsub/docs/subscriber",
    _INSTEAD,
)
_OTHER_ACCOUNT: Final = changes(
    less_safe("another account writes: where it may not, nothing is written and the backlog grows", _BIGQUERY)
)


def _from(key: str, what: str, source: str) -> Callable[[Any], Effect]:
    """Return what ends with a block, by what it delivered to."""

    def gone(old: Any) -> Effect:
        return stops(f"{what} {code(str(old.get(key) or '?'))}, which gets no more of them", source, _INSTEAD)

    return gone


_ROWS: Final = _from("table", "whoever counts on the rows of the table", _BIGQUERY)
_OBJECTS: Final = _from("bucket", "whoever counts on the objects of the bucket", _STORAGE)
_REQUESTS: Final = _from("pushEndpoint", "the endpoint of the requests", _PUSH)


def _named(gone: Callable[[Any], Effect], key: str) -> Rule:
    """Return a rule: another place has the effect, told of the one before."""
    return lambda old, _new: gone({key: old}) if old else HARMLESS


def _unwritten(source: str) -> Rule:
    """Return a rule: the metadata of messages is no longer written."""
    effect = loses(
        "the attributes, the ordering key and the time of each message that is written from now on",
        "keep `writeMetadata`.",
        source,
    )
    return ends(effect)


_COLUMNS: Final = changes(
    stops(
        "whoever counts on the rows of the export: they come in other columns, and stay in the backlog while "
        "the table has none for them",
        _BIGQUERY,
    )
)
_FORM: Final = stops("whoever reads the exported objects: they come in another form", _STORAGE, _INSTEAD)
_FOUND: Final = changes(stops("whoever finds the exported objects by their names", _STORAGE))


def _avro(old: Any, new: Any) -> Effect:
    """Without it, objects are text: https://docs.cloud.google.com/pubsub/docs/cloudstorage ."""
    return _FORM if (old is None) != (new is None) else HARMLESS


def _token(old: Any, new: Any) -> Effect:
    """A request that had no token may have one; the endpoint has to accept one that differs."""
    if not old or old == new:
        return HARMLESS
    if not new:
        return stops("the requests, which an endpoint refuses that lets in nobody without a token", _TOKENS)
    return stops("the requests, until the endpoint's owner accepts tokens of another identity", _TOKENS)


PUSH: Final = block(
    gone=_REQUESTS,
    came=_PULLED,
    within={
        "pushEndpoint": _named(_REQUESTS, "pushEndpoint"),
        "oidcToken": _token,
        "noWrapper": changes(stops("the endpoint, which gets requests of another form", _PUSH, _INSTEAD)),
        "attributes": moves(stops("the endpoint, which gets requests of another version", _PUSH)),
    },
)
BIGQUERY: Final = block(
    gone=_ROWS,
    came=_PULLED,
    within={
        "table": _named(_ROWS, "table"),
        "dropUnknownFields": begins(
            loses("the fields of each message that the table does not have", "add the columns.", _BIGQUERY)
        ),
        "serviceAccountEmail": _OTHER_ACCOUNT,
        "useTableSchema": _COLUMNS,
        "useTopicSchema": _COLUMNS,
        "writeMetadata": _unwritten(_BIGQUERY),
    },
)
CLOUD_STORAGE: Final = block(
    gone=_OBJECTS,
    came=_PULLED,
    within={
        "bucket": _named(_OBJECTS, "bucket"),
        "avroConfig": _avro,
        "avroConfig.useTopicSchema": changes(_FORM),
        "avroConfig.writeMetadata": _unwritten(_STORAGE),
        "filenameDatetimeFormat": _FOUND,
        "filenamePrefix": _FOUND,
        "filenameSuffix": _FOUND,
        "serviceAccountEmail": _OTHER_ACCOUNT,
    },
)
# What each of them has.
PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "bigqueryConfig": (
        *("dropUnknownFields", "serviceAccountEmail", "table", "useTableSchema", "useTopicSchema"),
        "writeMetadata",
    ),
    "cloudStorageConfig": (
        *("avroConfig.useTopicSchema", "avroConfig.writeMetadata", "bucket", "filenameDatetimeFormat"),
        *("filenamePrefix", "filenameSuffix", "maxBytes", "maxDuration", "maxMessages"),
        *("serviceAccountEmail", "state", "textConfig.state"),
    ),
    "pushConfig": (
        *("attributes", "noWrapper.writeMetadata", "oidcToken.audience", "oidcToken.serviceAccountEmail"),
        "pushEndpoint",
    ),
}
