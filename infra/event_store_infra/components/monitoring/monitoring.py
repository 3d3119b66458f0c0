"""Alerts, notification channels and the dashboard."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import monitoring

from event_store_infra.components.children import child_options
from event_store_infra.components.monitoring.alerts import Watched, alerts
from event_store_infra.components.monitoring.dashboard import dashboard
from event_store_infra.components.monitoring.logged import logged_metric
from event_store_infra.settings import MonitoringSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringArgs:
    """The arguments of `Monitoring`.

    Attributes:
        watched: The names of what is watched.
        settings: Whom to tell, and of what.
        labels: User labels of alert policies and channels.
    """

    watched: Watched
    settings: MonitoringSettings = field(default_factory=MonitoringSettings)
    labels: Mapping[str, str] = field(default_factory=dict)


class Monitoring(pulumi.ComponentResource):
    """Owns the alert policies, a channel for each address, the metrics made of log lines, and the dashboard.

    All are made from the names that the other components give to what they own. It deliberately owns no
    channel but those of e-mail: whatever has a secret is made elsewhere and named in the settings.

    Attributes:
        dashboard: The dashboard's id.
    """

    dashboard: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:Monitoring", name, None, opts)
        child = child_options(self, opts)
        watched, settings = args.watched, args.settings
        channels = [
            monitoring.NotificationChannel(
                f"{name}-channel-{address}",
                project=watched.project,
                type="email",
                display_name=f"Event store: {address}",
                labels={"email_address": address},
                user_labels=args.labels,
                opts=child,
            )
            for address in settings.emails
        ]
        for logged, too_long in settings.too_long_seconds.items():
            metric = f"{name}-{logged.replace('_', '-')}"
            logged_metric(metric, watched.project, watched.service, logged, too_long, child)
        for alert in alerts(watched, settings):
            monitoring.AlertPolicy(
                f"{name}-{alert.name}",
                project=watched.project,
                display_name=f"{watched.service}: {alert.title}",
                combiner="OR",
                severity=alert.severity,
                enabled=True,
                conditions=[alert.condition()],
                documentation=alert.documentation(settings.runbook_url),
                alert_strategy=alert.strategy(),
                notification_channels=[*settings.channels, *(channel.id for channel in channels)],
                user_labels=args.labels,
                opts=child,
            )
        board = monitoring.Dashboard(
            f"{name}-dashboard", project=watched.project, dashboard_json=dashboard(watched), opts=child
        )
        self.dashboard = board.id
        self.register_outputs({"dashboard": self.dashboard})
