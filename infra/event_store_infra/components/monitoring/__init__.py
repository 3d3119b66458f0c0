"""Alerts and the dashboard: what may go wrong with an event store, who is told, and what to look at."""

from event_store_infra.components.monitoring.alerts import Watched
from event_store_infra.components.monitoring.monitoring import Monitoring, MonitoringArgs

__all__ = ["Monitoring", "MonitoringArgs", "Watched"]
