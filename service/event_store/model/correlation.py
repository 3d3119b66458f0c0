"""The keys of an event's metadata that say where it comes from, and travel in the message's attributes.

`correlation_id` is shared by all that one thing set off, `causation_id` names what set off this event, and
`traceparent` and `tracestate` are the trace context of https://www.w3.org/TR/trace-context/.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

MOST_CHARACTERS: Final = 256  # of up to four bytes: what an attribute of Pub/Sub holds
_MOST_STATE_CHARACTERS: Final = 512  # W3C asks to carry these
_MOST_STATE_MEMBERS: Final = 32
_FEWEST_BYTES: Final = len('{"tracestate":0}')
# `loads` would make one each time. A number may be of any length, which an int may not.
_DECODER: Final = json.JSONDecoder(parse_int=float)
_PARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_MEMBER: Final = re.compile(
    r"[ \t]*(?:[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}|[a-z][a-z0-9_*/-]{0,255})"
    r"=[ -+\--<>-~]{0,255}[!-+\--<>-~][ \t]*|[ \t]*"
)


def find_correlation_fault(metadata: bytes) -> str:
    """Return what is wrong with these keys in metadata, a valid JSON object, as a part of a sentence."""
    # Most events have none of them: no more searches than it takes. A key may be written with escapes.
    if len(metadata) < _FEWEST_BYTES or not (
        b'ation_id"' in metadata or b'"trace' in metadata or b"\\" in metadata
    ):
        return ""
    values = orjson.loads(metadata)
    for key, is_valid in _KEYS.items():
        if key in values and not is_valid(values[key]):
            return _EXPECTED[key]
    if "tracestate" in values and "traceparent" not in values:
        return "has a tracestate without its traceparent"
    return ""


def correlation_of(metadata: str) -> Mapping[str, str]:
    """Return these keys of metadata, a JSON object without needless escapes, as far as they are valid.

    Events that were stored before there were rules may have anything there.
    """
    if not ('ation_id"' in metadata or '"traceparent"' in metadata):
        return {}
    values = _DECODER.decode(metadata)
    found = {key: values[key] for key, is_valid in _KEYS.items() if key in values and is_valid(values[key])}
    if "traceparent" not in found:
        found.pop("tracestate", None)
    return found


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= MOST_CHARACTERS


def _is_parent(value: Any) -> bool:
    return isinstance(value, str) and _PARENT.fullmatch(value) is not None


def _is_state(value: Any) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= _MOST_STATE_CHARACTERS:
        return False
    members = value.split(",")
    return len(members) <= _MOST_STATE_MEMBERS and all(map(_MEMBER.fullmatch, members))


_KEYS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "correlation_id": _is_id,
    "causation_id": _is_id,
    "traceparent": _is_parent,
    "tracestate": _is_state,
}
_EXPECTED: Final = {
    "correlation_id": f"has a correlation_id that is no text of 1 to {MOST_CHARACTERS} characters",
    "causation_id": f"has a causation_id that is no text of 1 to {MOST_CHARACTERS} characters",
    "traceparent": "has a traceparent that is not W3C's 00-TRACE_ID-PARENT_ID-FLAGS in lower case",
    "tracestate": f"has a tracestate that is not W3C's list of 1 to {_MOST_STATE_CHARACTERS} characters",
}
