"""Read a subscription's filter: in Pub/Sub's filter language, or by aggregate and event types."""

from collections.abc import Mapping
from typing import Final

from event_store.topology.document import Value

FILTER_BYTES: Final = 256
_TYPE: Final = (
    r'[^\x00-\x1f\x7f-\x9f*\\"]{1,100}\*?|\*',
    "a type, or a prefix followed by *",
)
_ATTRIBUTES: Final = {"aggregateTypes": "aggregate_type", "eventTypes": "event_type"}


def read_filter(keys: Mapping[str, Value]) -> str:
    """Read the filter among a subscription's keys, in Pub/Sub's filter language; empty for none.

    Raises:
        TopologyError: The filter is invalid, or longer than 256 bytes.
    """
    types = [key for key in _ATTRIBUTES if key in keys]
    if "filter" in keys:
        if types:
            raise keys[types[0]].error("excludes filter", "put both into filter, or remove one")
        return _fitting(keys["filter"], keys["filter"].text())
    conditions = [_condition(keys[key], _ATTRIBUTES[key]) for key in types]
    if not conditions:
        return ""
    together = conditions[0] if len(conditions) == 1 else " AND ".join(f"({each})" for each in conditions)
    return _fitting(keys[types[0]], together)


def _condition(value: Value, attribute: str) -> str:
    names = [each.matching(*_TYPE) for each in value.items()]
    if not names:
        raise value.error("is empty", "list a type, or remove the key")
    return " OR ".join(
        f'hasPrefix(attributes.{attribute}, "{name[:-1]}")'
        if name.endswith("*")
        else f'attributes.{attribute} = "{name}"'
        for name in names
    )


def _fitting(value: Value, text: str) -> str:
    size_bytes = len(text.encode())
    if size_bytes > FILTER_BYTES:
        raise value.error(
            f"has {size_bytes} bytes as a filter", f"shorten it to at most {FILTER_BYTES} bytes"
        )
    return text
