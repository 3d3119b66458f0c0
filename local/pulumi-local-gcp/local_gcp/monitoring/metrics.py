"""The metric types in use, from Google's lists, and the resource types that they are written for.

https://cloud.google.com/monitoring/api/metrics_gcp and, for Cloud SQL,
https://cloud.google.com/sql/docs/postgres/admin-api/metrics; the labels of resources are those of
https://cloud.google.com/monitoring/api/resources. Look a new one up there before you add it; one that Google
calls deprecated has no place here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ANY: Final = ()  # for a label whose values Google does not list
USER_PREFIX: Final = "logging.googleapis.com/user/"  # the prefix of metrics made of logs

PRIMARY: Final = "a primary, for each of its replicas"

RESOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "cloud_run_job": ("project_id", "location", "job_name"),
    "cloud_run_revision": (
        *("project_id", "location", "service_name", "revision_name"),
        "configuration_name",
    ),
    "cloud_run_worker_pool": ("project_id", "location", "worker_pool_name", "revision_name"),
    "cloudsql_database": ("project_id", "region", "database_id"),
    "pubsub_subscription": ("project_id", "subscription_id"),
    "pubsub_topic": ("project_id", "topic_id"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric type.

    Attributes:
        kind: GAUGE for a value at a time, or DELTA for the change since the point before.
        value: INT64, DOUBLE or DISTRIBUTION.
        unit: Google's name of the unit; `10^2.%` is a share of 1.
        resources: The types of the resources that have it.
        labels: The values of each label.
        writer: The resources that have the metric, in words; empty for all.
    """

    kind: str
    value: str
    resources: tuple[str, ...]
    unit: str = "1"
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    writer: str = ""


_DELIVERY: Final = {"delivery_type": ANY}
_SEVERITIES: Final = (
    *("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING"),
    *("ERROR", "CRITICAL", "ALERT", "EMERGENCY"),
)
_CONTAINERS: Final = ("cloud_run_job", "cloud_run_revision", "cloud_run_worker_pool")
_SUBSCRIPTION: Final = ("pubsub_subscription",)
_TOPIC: Final = ("pubsub_topic",)
_SQL: Final = ("cloudsql_database",)

METRICS: Final[Mapping[str, Metric]] = {
    "logging.googleapis.com/log_entry_count": Metric(
        kind="DELTA",
        value="INT64",
        resources=tuple(RESOURCES),
        labels={"log": ANY, "severity": _SEVERITIES},
        writer="whatever logs; the label `log` is the log's id, as in run.googleapis.com/stderr",
    ),
    "pubsub.googleapis.com/subscription/ack_message_count": Metric(
        kind="DELTA", value="INT64", resources=_SUBSCRIPTION, labels=_DELIVERY
    ),
    "pubsub.googleapis.com/subscription/num_undelivered_messages": Metric(
        kind="GAUGE", value="INT64", resources=_SUBSCRIPTION
    ),
    "pubsub.googleapis.com/subscription/oldest_unacked_message_age": Metric(
        kind="GAUGE", value="INT64", unit="s", resources=_SUBSCRIPTION
    ),
    "pubsub.googleapis.com/subscription/sent_message_count": Metric(
        kind="DELTA", value="INT64", resources=_SUBSCRIPTION, labels=_DELIVERY
    ),
    "pubsub.googleapis.com/topic/message_sizes": Metric(
        kind="DELTA", value="DISTRIBUTION", unit="By", resources=_TOPIC
    ),
    "pubsub.googleapis.com/topic/send_request_count": Metric(
        kind="DELTA",
        value="INT64",
        resources=_TOPIC,
        labels={"response_class": ("success", "invalid", "internal"), "response_code": ANY},
    ),
    "run.googleapis.com/container/cpu/utilizations": Metric(
        kind="DELTA", value="DISTRIBUTION", unit="10^2.%", resources=_CONTAINERS
    ),
    "run.googleapis.com/container/instance_count": Metric(
        kind="GAUGE",
        value="INT64",
        resources=("cloud_run_revision", "cloud_run_worker_pool"),
        labels={"state": ("active", "idle")},
    ),
    "run.googleapis.com/container/memory/utilizations": Metric(
        kind="DELTA", value="DISTRIBUTION", unit="10^2.%", resources=_CONTAINERS
    ),
    "run.googleapis.com/job/completed_execution_count": Metric(
        kind="DELTA",
        value="INT64",
        resources=("cloud_run_job",),
        labels={"result": ("succeeded", "failed")},
    ),
    "run.googleapis.com/request_count": Metric(
        kind="DELTA",
        value="INT64",
        resources=("cloud_run_revision",),
        labels={"response_code": ANY, "response_code_class": ANY, "route": ANY},
    ),
    "cloudsql.googleapis.com/database/cpu/utilization": Metric(
        kind="GAUGE", value="DOUBLE", unit="10^2.%", resources=_SQL
    ),
    "cloudsql.googleapis.com/database/disk/bytes_used": Metric(
        kind="GAUGE", value="INT64", unit="By", resources=_SQL
    ),
    "cloudsql.googleapis.com/database/disk/utilization": Metric(kind="GAUGE", value="DOUBLE", resources=_SQL),
    "cloudsql.googleapis.com/database/memory/utilization": Metric(
        kind="GAUGE", value="DOUBLE", resources=_SQL
    ),
    "cloudsql.googleapis.com/database/postgresql/num_backends": Metric(
        kind="GAUGE", value="INT64", resources=_SQL, labels={"database": ANY}
    ),
    "cloudsql.googleapis.com/database/postgresql/replication/replica_byte_lag": Metric(
        kind="GAUGE",
        value="INT64",
        unit="By",
        resources=_SQL,
        labels={
            "replica_name": ANY,
            "replica_lag_type": (
                *("replay_location", "flush_location"),
                *("write_location", "sent_location"),
            ),
        },
        writer=PRIMARY,
    ),
    "cloudsql.googleapis.com/database/postgresql/transaction_id_utilization": Metric(
        kind="GAUGE", value="DOUBLE", unit="10^2.%", resources=_SQL
    ),
    "cloudsql.googleapis.com/database/postgresql/vacuum/oldest_transaction_age": Metric(
        kind="GAUGE",
        value="INT64",
        resources=_SQL,
        labels={"oldest_transaction_type": ("running", "prepared", "replication_slot", "replica")},
    ),
}
