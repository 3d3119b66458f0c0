"""The alerts of an event store: each has its section in runbook.md."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from event_store_infra.components.monitoring.alert import Alert
from event_store_infra.components.monitoring.series import Series
from event_store_infra.settings import MonitoringSettings

_SUBSCRIPTION: Final = "pubsub_subscription"
_DATABASE: Final = "cloudsql_database"
_SQL: Final = "cloudsql.googleapis.com/database/"
_RUN: Final = "run.googleapis.com/"
# What a container writes itself. Cloud Run writes a line for each request to a log of its own, as an ERROR if
# it ended at Cloud Run's own hour, as each long stream does: https://cloud.google.com/run/docs/logging
_OWN_LINES: Final = ("run.googleapis.com/stderr", "run.googleapis.com/stdout")
SILENT_MINUTES: Final = 10
_BUSY: Final = 0.85
_FULL: Final = 0.9
_REPLICA_BEHIND_BYTES: Final = 256 * 2**20  # some hundred thousand events
# The share of transaction ids in use; at 1 PostgreSQL stops writing. Ordinary vacuum keeps it near 0.1.
_TRANSACTION_IDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The names of the monitored resources.

    Attributes:
        project: The id of the project.
        service: The Cloud Run service.
        relay: The Cloud Run worker pool of the relay; empty if the service relays.
        job: The Cloud Run job of the migrations.
        instance: The Cloud SQL instance; empty for a database that is watched elsewhere.
        replica: What follows it; empty if nothing does.
        topics: The topics that events are published to.
        subscriptions: Their subscriptions.
        dead_letters: The subscriptions of dead letters.
        least_instances: How many instances a revision of the service always has.
        most_instances: How many it has at most.
        most_connections: How many connections the database takes.
        disk_limit_bytes: How far the disk grows.
    """

    project: str
    service: str
    relay: str
    job: str
    instance: str
    replica: str
    topics: Sequence[str]
    subscriptions: Sequence[str]
    dead_letters: Sequence[str]
    least_instances: int
    most_instances: int
    most_connections: int
    disk_limit_bytes: int


def alerts(watched: Watched, settings: MonitoringSettings) -> Iterator[Alert]:
    """Yield every alert, those of the bus first."""
    yield from _of_the_bus(watched, settings)
    yield from _of_the_service(watched, settings)
    if watched.instance:
        yield from _of_the_database(watched)
    if watched.replica:
        yield _of_the_replica(watched)


def _of_the_bus(watched: Watched, settings: MonitoringSettings) -> Iterator[Alert]:
    names = "resource.labels.subscription_id"
    if watched.subscriptions:
        yield Alert(
            name="unacknowledged",
            title="A subscription is behind",
            severity="ERROR",
            series=Series(
                resource=_SUBSCRIPTION,
                metric="pubsub.googleapis.com/subscription/oldest_unacked_message_age",
                where={names: watched.subscriptions},
            ),
            above=60 * settings.unacknowledged_minutes,
            minutes=5,
        )
        yield Alert(
            name="dead-letters",
            title="Dead letters",
            severity="ERROR",
            series=Series(
                resource=_SUBSCRIPTION,
                metric="pubsub.googleapis.com/subscription/num_undelivered_messages",
                where={names: watched.dead_letters},
            ),
            above=0,
        )
    if watched.topics:
        yield Alert(
            name="publish-failures",
            title="Publishing fails",
            severity="ERROR",
            series=Series(
                resource="pubsub_topic",
                metric="pubsub.googleapis.com/topic/send_request_count",
                where={
                    "resource.labels.topic_id": watched.topics,
                    "metric.labels.response_class": ["!success"],
                },
                aligner="ALIGN_SUM",
                reducer="REDUCE_SUM",
                by=("resource.labels.topic_id",),
            ),
            above=0,
            minutes=10,  # longer than one failure counts, which the relay makes good
            period_minutes=5,
        )


def _of_the_service(watched: Watched, settings: MonitoringSettings) -> Iterator[Alert]:
    revision = {"resource.labels.service_name": [watched.service]}
    yield Alert(
        name="relay-lag",
        title="The relay lags",
        severity="CRITICAL",
        series=_slowest(relay_lag(watched), "2m"),
        above=settings.relay_lag_seconds,
        minutes=5,
    )
    yield Alert(
        name="silence",
        title="The service is silent",
        severity="CRITICAL",
        series=_ended(relay_lag(watched), f"{SILENT_MINUTES}m"),
        above=None,
    )
    yield Alert(
        name="append-latency",
        title="Appends are slow",
        severity="WARNING",
        series=_slowest(append_latency(watched), "5m"),
        above=settings.append_milliseconds / 1000,
        minutes=10,
    )
    yield _logged_errors("service", "cloud_run_revision", revision)
    if watched.relay:
        pool = {"resource.labels.worker_pool_name": [watched.relay]}
        yield _logged_errors("relay", "cloud_run_worker_pool", pool)
    # Where there are always as many as there may be, their number says nothing.
    if watched.least_instances < watched.most_instances:
        yield Alert(
            name="instances",
            title="Instances are at their maximum",
            severity="WARNING",
            series=Series(
                resource="cloud_run_revision",
                metric=f"{_RUN}container/instance_count",
                where=revision,
                reducer="REDUCE_SUM",
                by=("resource.labels.revision_name",),  # each has the limit to itself, a canary too
            ),
            above=watched.most_instances - 0.5,
            minutes=15,
        )
    yield Alert(
        name="migration-failed",
        title="A migration failed",
        severity="CRITICAL",
        series=Series(
            resource="cloud_run_job",
            metric=f"{_RUN}job/completed_execution_count",
            where={"resource.labels.job_name": [watched.job], "metric.labels.result": ["failed"]},
            aligner="ALIGN_SUM",
        ),
        above=0,
    )


def _logged_errors(who: str, resource: str, where: Mapping[str, Sequence[str]]) -> Alert:
    """Return the alert on every single line of severity ERROR or above, for five minutes."""
    return Alert(
        name=f"{who}-errors",
        title=f"The {who} logs errors",
        severity="ERROR",
        series=Series(
            resource=resource,
            metric="logging.googleapis.com/log_entry_count",
            where={
                **where,
                "metric.labels.log": _OWN_LINES,
                "metric.labels.severity": ["ERROR", "CRITICAL"],
            },
            aligner="ALIGN_SUM",
            reducer="REDUCE_SUM",
        ),
        above=0,
        period_minutes=5,
    )


def _of_the_database(watched: Watched) -> Iterator[Alert]:
    def series(metric: str, reducer: str = "") -> Series:
        labels = {"resource.labels.database_id": [f"{watched.project}:{watched.instance}"]}
        return Series(resource=_DATABASE, metric=_SQL + metric, where=labels, reducer=reducer)

    for name, title, metric, above, minutes in (
        ("cpu", "The database's CPU is busy", "cpu/utilization", _BUSY, 15),
        ("memory", "The database's memory is full", "memory/utilization", 0.95, 15),
        ("disk", "The database's disk is full", "disk/bytes_used", _FULL * watched.disk_limit_bytes, 5),
        (
            "transactions",
            "Old transactions",
            "postgresql/transaction_id_utilization",
            _TRANSACTION_IDS,
            5,
        ),
    ):
        yield Alert(
            name=f"database-{name}",
            title=title,
            severity="CRITICAL" if name in {"disk", "transactions"} else "WARNING",
            series=series(metric),
            above=above,
            minutes=minutes,
        )
    yield Alert(
        name="database-connections",
        title="Connections run out",
        severity="ERROR",
        series=series("postgresql/num_backends", reducer="REDUCE_SUM"),
        above=0.8 * watched.most_connections,
        minutes=5,
    )


def _of_the_replica(watched: Watched) -> Alert:
    return Alert(
        name="replica-lag",
        title="The read replica is behind",
        severity="WARNING",
        series=Series(
            resource=_DATABASE,
            # Reported by the primary for each replica; what is replayed there can be read there.
            metric=f"{_SQL}postgresql/replication/replica_byte_lag",
            where={
                "resource.labels.database_id": [f"{watched.project}:{watched.instance}"],
                "metric.labels.replica_name": [watched.replica],
                "metric.labels.replica_lag_type": ["replay_location"],
            },
            reducer="REDUCE_MAX",
        ),
        above=_REPLICA_BEHIND_BYTES,
        minutes=15,
    )


def relay_lag(watched: Watched) -> Series:
    """Return the relay lag in seconds: the age of the next event to publish."""
    return _logged(watched, "relay_lag_seconds")


def append_latency(watched: Watched) -> Series:
    """Return the 99th percentile of the append latency, in seconds."""
    return _logged(watched, "append_seconds")


def _slowest(series: Series, window: str) -> str:
    """Return PromQL of the 99th percentile within a window."""
    return f"histogram_quantile(0.99, sum by (le) (increase({series.selector('_bucket')}[{window}])))"


def _ended(series: Series, window: str) -> str:
    """Return PromQL that is true if there were lines within a day, and none within a window.

    A service that has never logged any is a new one, whose update tells by itself if it does not start.
    """
    lines = series.selector("_count")
    return f"sum(increase({lines}[1d])) > 0 unless sum(increase({lines}[{window}])) > 0"


def _logged(watched: Watched, name: str) -> Series:
    return Series(
        resource="cloud_run_revision",
        metric=f"logging.googleapis.com/user/{watched.service}/{name}",
        where={"resource.labels.service_name": [watched.service]},
        aligner="ALIGN_PERCENTILE_99",
        reducer="REDUCE_MAX",
    )
