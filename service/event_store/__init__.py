"""An event store and event bus on Google Cloud.

The client's names are loaded when they are first used: a Pulumi program that imports `event_store.topology`
passes through here, and must not load gRPC.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from event_store.client import Client
    from event_store.events import (
        AggregateAppend,
        AppendResult,
        ExpectedVersion,
        NewEvent,
        RecordedEvent,
        Status,
    )

__all__ = [
    "AggregateAppend",
    "AppendResult",
    "Client",
    "ExpectedVersion",
    "NewEvent",
    "RecordedEvent",
    "Status",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("event_store.client"), name)
