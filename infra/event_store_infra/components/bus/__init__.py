"""The event bus, a file for each of its parts."""

from event_store_infra.components.bus.event_bus import EventBus, EventBusArgs

__all__ = ["EventBus", "EventBusArgs"]
