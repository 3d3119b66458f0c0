"""Alerts, their notification channels and the dashboard of an event store."""

from event_store_infra.components.monitoring.alerts import Watched
from event_store_infra.components.monitoring.monitoring import Monitoring, MonitoringArgs

__all__ = ["Monitoring", "MonitoringArgs", "Watched"]
