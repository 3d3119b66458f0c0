"""The event bus, a file for each of its parts."""

from infra.components.bus.event_bus import EventBus, EventBusArgs

__all__ = ["EventBus", "EventBusArgs"]
