"""The settings of alerts and dashboard."""

from collections.abc import Mapping
from dataclasses import dataclass

from event_store.errors import ConfigurationError
from event_store_infra.settings.key import key


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringSettings:
    """Alerts, whom they tell, and the dashboard."""

    enabled: bool = key("whether there are alerts and a dashboard", default=True)
    emails: tuple[str, ...] = key(
        "who is told of alerts",
        default=(),
        pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+",
        allowed="an address as in oncall@example.com",
    )
    channels: tuple[str, ...] = key(
        "notification channels of yours that are told too, such as Slack or PagerDuty",
        default=(),
        pattern=r"projects/[^/]+/notificationChannels/[^/]+",
        allowed="a channel as in projects/P/notificationChannels/C",
    )
    runbook_url: str = key(
        "where people read the runbook of the alerts; each alert links to its section there",
        default="",
        pattern=r"|https://\S+",
        allowed="an https address, or empty",
    )
    unacknowledged_minutes: int = key(
        "how old the oldest message that a subscription has not acknowledged may be",
        unit="minutes",
        default=15,
        lowest=1,
        highest=10_080,
    )
    relay_lag_seconds: int = key(
        "for how long an event may be in the log before it is published",
        unit="seconds",
        default=60,
        lowest=10,
        highest=86_400,
    )
    append_milliseconds: int = key(
        "how long 99 of 100 appends may take in the service",
        unit="ms",
        default=1_000,
        lowest=10,
        highest=60_000,
    )

    @property
    def tells_somebody(self) -> bool:
        """Whether an alert reaches anybody."""
        return bool(self.emails or self.channels)

    @property
    def too_long_seconds(self) -> Mapping[str, float]:
        """Above how many seconds a field of the heartbeat raises an alert, by the field."""
        return {
            "relay_lag_seconds": float(self.relay_lag_seconds),
            "append_seconds": self.append_milliseconds / 1000,
        }

    def __post_init__(self) -> None:
        """Refuse what tells somebody twice."""
        for name in ("emails", "channels"):
            given = getattr(self, name)
            if len(set(given)) < len(given):
                raise ConfigurationError(
                    f"event-store:monitoring.{name} names somebody twice: remove one of them"
                )
