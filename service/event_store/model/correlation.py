"""Check and read the reserved metadata keys, which are also attributes of the published message.

`correlation_id` is shared by all events with the same origin. `causation_id` is the id of the event or
command that caused this event. `traceparent` and `tracestate` are the trace context of
https://www.w3.org/TR/trace-context/.
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
    """Return what is wrong with the reserved keys of metadata, a valid JSON object; empty if nothing is."""
    # Most events have none of them, so search before parsing. A key may be written with escapes.
    if len(metadata) < _FEWEST_BYTES or not (
        b'ation_id"' in metadata or b'"trace' in metadata or b"\\" in metadata
    ):
        return ""
    values = orjson.loads(metadata)
    for key, is_valid in _KEYS.items():
        if key in values and not is_valid(values[key]):
            return _EXPECTED[key]
    if "tracestate" in values and "traceparent" not in values:
        return "has a tracestate without a traceparent: add one"
    return ""


def correlation_of(metadata: str) -> Mapping[str, str]:
    """Return the valid reserved keys of metadata, a JSON object without needless escapes.

    Invalid values are left out: events stored by early releases may have them.
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
    "correlation_id": f"has an invalid correlation_id: use a string of 1 to {MOST_CHARACTERS} characters",
    "causation_id": f"has an invalid causation_id: use a string of 1 to {MOST_CHARACTERS} characters",
    "traceparent": "has an invalid traceparent: use W3C's 00-TRACE_ID-PARENT_ID-FLAGS in lower case",
    "tracestate": f"has an invalid tracestate: use W3C's list of 1 to {_MOST_STATE_CHARACTERS} characters",
}
