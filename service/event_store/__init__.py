"""An event store and event bus on Google Cloud.

The client's names are loaded when they are first used: a Pulumi program that imports `event_store.topology`
passes through here, and must not load gRPC.
"""

import importlib
from typing import TYPE_CHECKING, Any

from event_store.extras import missing

if TYPE_CHECKING:
    from event_store.client.append_stream import AppendStream
    from event_store.client.client import Client
    from event_store.client.replays import Replays
    from event_store.consumer.checkpoints import PassedOver, create_projection_tables
    from event_store.consumer.consumer import Consumer
    from event_store.consumer.projection import Projection
    from event_store.consumer.push import handle_push
    from event_store.errors import (
        ConfigurationError,
        EventAlreadyExistsError,
        EventStoreError,
        FieldViolation,
        ImportMovedError,
        InvalidArgumentError,
        LogCorruptedError,
        OverloadedError,
        ReplayAlreadyExistsError,
        ReplayEndedError,
        ReplayNotFoundError,
        UnavailableError,
        WrongAggregateTypeError,
        WrongExpectedVersionError,
    )
    from event_store.model.event_filter import EventFilter
    from event_store.model.events import (
        AggregateAppend,
        AppendResult,
        ExpectedVersion,
        ImportedEvent,
        ImportProgress,
        NewEvent,
        RecordedEvent,
        Status,
        TopicStatus,
    )
    from event_store.model.markers import CaughtUp, Checkpoint, FellBehind
    from event_store.model.replay import Replay, ReplayState
    from event_store.model.snapshot import LoadedAggregate, Snapshot

__all__ = [
    "AggregateAppend",
    "AppendResult",
    "AppendStream",
    "CaughtUp",
    "Checkpoint",
    "Client",
    "ConfigurationError",
    "Consumer",
    "EventAlreadyExistsError",
    "EventFilter",
    "EventStoreError",
    "ExpectedVersion",
    "FellBehind",
    "FieldViolation",
    "ImportMovedError",
    "ImportProgress",
    "ImportedEvent",
    "InvalidArgumentError",
    "LoadedAggregate",
    "LogCorruptedError",
    "NewEvent",
    "OverloadedError",
    "PassedOver",
    "Projection",
    "RecordedEvent",
    "Replay",
    "ReplayAlreadyExistsError",
    "ReplayEndedError",
    "ReplayNotFoundError",
    "ReplayState",
    "Replays",
    "Snapshot",
    "Status",
    "TopicStatus",
    "UnavailableError",
    "WrongAggregateTypeError",
    "WrongExpectedVersionError",
    "create_projection_tables",
    "handle_push",
]
_MODULES = {
    **dict.fromkeys((name for name in __all__ if name.endswith("Error")), "event_store.errors"),
    "CaughtUp": "event_store.model.markers",
    "Checkpoint": "event_store.model.markers",
    "Consumer": "event_store.consumer.consumer",
    "FellBehind": "event_store.model.markers",
    "FieldViolation": "event_store.errors",
    "LoadedAggregate": "event_store.model.snapshot",
    "PassedOver": "event_store.consumer.checkpoints",
    "Projection": "event_store.consumer.projection",
    "Replay": "event_store.model.replay",
    "ReplayState": "event_store.model.replay",
    "Replays": "event_store.client.replays",
    "Snapshot": "event_store.model.snapshot",
    "TopicStatus": "event_store.model.events",
    "create_projection_tables": "event_store.consumer.checkpoints",
    "handle_push": "event_store.consumer.push",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(_MODULES.get(name, "event_store.client.client"))
    except ImportError as error:
        if hint := missing(error):
            raise ImportError(f"{name}: {hint}") from None
        raise
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
