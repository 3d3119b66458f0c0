"""The settings of alerts and dashboard."""

from collections.abc import Mapping
from dataclasses import dataclass

from event_store.errors import ConfigurationError
from event_store_infra.settings.key import key


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringSettings:
    """Alerts, their recipients and the dashboard."""

    enabled: bool = key("alerts and a dashboard", default=True)
    emails: tuple[str, ...] = key(
        "addresses that alerts are sent to",
        default=(),
        pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+",
        allowed="an address as in oncall@example.com",
    )
    channels: tuple[str, ...] = key(
        "existing notification channels that alerts are sent to as well, such as Slack or PagerDuty",
        default=(),
        pattern=r"projects/[^/]+/notificationChannels/[^/]+",
        allowed="a channel as in projects/P/notificationChannels/C",
    )
    runbook_url: str = key(
        "the address of the runbook of the alerts; each alert links to its section",
        default="",
        pattern=r"|https://\S+",
        allowed="an https address, or empty",
    )
    unacknowledged_minutes: int = key(
        "age of a subscription's oldest unacknowledged message that raises an alert",
        unit="minutes",
        default=15,
        lowest=1,
        highest=10_080,
    )
    relay_lag_seconds: int = key(
        "relay lag, the time from append to publish, that raises an alert",
        unit="seconds",
        default=60,
        lowest=10,
        highest=86_400,
    )
    append_milliseconds: int = key(
        "99th percentile of the append latency in the service that raises an alert",
        unit="ms",
        default=1_000,
        lowest=10,
        highest=60_000,
    )

    @property
    def tells_somebody(self) -> bool:
        """Whether an alert is sent to anybody."""
        return bool(self.emails or self.channels)

    @property
    def too_long_seconds(self) -> Mapping[str, float]:
        """The threshold of each heartbeat field that raises an alert, in seconds, by field."""
        return {
            "relay_lag_seconds": float(self.relay_lag_seconds),
            "append_seconds": self.append_milliseconds / 1000,
        }

    def __post_init__(self) -> None:
        """Reject duplicates."""
        for name in ("emails", "channels"):
            given = getattr(self, name)
            if len(set(given)) < len(given):
                raise ConfigurationError(f"event-store:monitoring.{name} lists an entry twice: remove one")
