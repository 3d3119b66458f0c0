"""The time series of a stack that is well, at work and idle."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tests.event_store_infra.monitoring.evaluation import rings
from tests.event_store_infra.monitoring.lines import log
from tests.event_store_infra.monitoring.real_lines import RealLines
from tests.event_store_infra.monitoring.series import Plan, StackSeries, replicas, resources

GIB: Final = 2**30
_MINUTES: Final = 60
_SQL: Final = "cloudsql.googleapis.com/database/"
_LAG_TYPES: Final = ("replay_location", "flush_location", "write_location", "sent_location")
_DATABASE: Final[Mapping[str, float]] = {
    "cpu/utilization": 0.3,
    "memory/utilization": 0.7,
    "disk/bytes_used": 3 * GIB,
    "postgresql/transaction_id_utilization": 0.1,
}


def healthy(plan: Plan, heartbeat: str, publishing: str, minutes: int) -> StackSeries:
    """Return what is written while events are appended, published and consumed.

    Args:
        plan: The stack.
        heartbeat: The line that a healthy instance of the service logs each minute.
        publishing: The line of a relay that begins.
        minutes: How long.
    """
    stack = quiet(plan, heartbeat, publishing, minutes)
    for topic in _named(plan, "pubsub_topic", "topic_id"):
        # A failure now and then is Pub/Sub's, and the relay makes it good.
        stack.write(
            "pubsub.googleapis.com/topic/send_request_count",
            lambda minute: 1 if minute % 15 == 0 else None,
            {"topic_id": topic},
            response_class="internal",
            response_code="unavailable",
        )
        stack.write(
            "pubsub.googleapis.com/topic/send_request_count",
            100,
            {"topic_id": topic},
            response_class="success",
            response_code="success",
        )
    for subscription in _named(plan, "pubsub_subscription", "subscription_id"):
        if not subscription.endswith("-dead-letter"):
            place = {"subscription_id": subscription}
            stack.write("pubsub.googleapis.com/subscription/num_undelivered_messages", 20, place)
            stack.write("pubsub.googleapis.com/subscription/oldest_unacked_message_age", 30, place)
    for service in _named(plan, "cloud_run_revision", "service_name"):
        place = {"service_name": service}
        stack.write("run.googleapis.com/container/instance_count", 1, place, state="active")
        # Streams of clients that Cloud Run ends at its hour.
        stack.write(
            "logging.googleapis.com/log_entry_count",
            2,
            place,
            log="run.googleapis.com/requests",
            severity="ERROR",
        )
    return stack


def quiet(plan: Plan, heartbeat: str, publishing: str, minutes: int) -> StackSeries:
    """Return what is written while nobody calls; the arguments are those of `healthy`."""
    stack = StackSeries(plan, minutes)
    for each in resources(plan):
        match each["type"]:
            case "cloud_run_revision":
                log(stack, {minute: [heartbeat, heartbeat] for minute in range(minutes)}, each)
                place = {"service_name": each["service_name"]}
                for state, count in (("idle", _instances(plan) - 1), ("active", 0)):
                    stack.write("run.googleapis.com/container/instance_count", count, place, state=state)
            case "cloud_run_worker_pool":
                log(stack, {0: [publishing]}, each)
                place = {"worker_pool_name": each["worker_pool_name"]}
                stack.write("run.googleapis.com/container/instance_count", 1, place, state="active")
            case "cloud_run_job":
                stack.write(
                    "run.googleapis.com/job/completed_execution_count",
                    lambda minute: 1 if minute == 0 else None,
                    {"job_name": each["job_name"]},
                    result="succeeded",
                )
            case "pubsub_subscription":
                place = {"subscription_id": each["subscription_id"]}
                stack.write("pubsub.googleapis.com/subscription/num_undelivered_messages", 0, place)
                stack.write("pubsub.googleapis.com/subscription/oldest_unacked_message_age", 0, place)
            case "cloudsql_database":
                _write_database(stack, each["database_id"])
    return stack


def _write_database(stack: StackSeries, database_id: str) -> None:
    place = {"database_id": database_id}
    for metric, value in _DATABASE.items():
        stack.write(_SQL + metric, value, place)
    for database in ("event_store", "postgres"):
        stack.write(f"{_SQL}postgresql/num_backends", 20, place, database=database)
    for replica, primary in replicas(stack.plan):
        for kind in _LAG_TYPES if primary == database_id else ():
            labels = {"replica_name": replica, "replica_lag_type": kind}
            stack.write(f"{_SQL}postgresql/replication/replica_byte_lag", 16 * 2**20, place, **labels)


def rung_in_health(plan: Plan, lines: RealLines) -> dict[str, list[int]]:
    """Return the alerts that ring, and when, though a stack is well: at work, idle, or new."""
    at_work = healthy(plan, lines.healthy, lines.publishing, _MINUTES)
    idle = quiet(plan, lines.idle, lines.publishing, _MINUTES)
    stacks = (at_work, idle, _new(at_work), _new(idle))
    return {name: minutes for each in stacks for name, minutes in ringing(each).items()}


def ringing(stack: StackSeries) -> dict[str, list[int]]:
    """Return the minutes in which each alert rings that does at all."""
    rung = {
        name: rings(condition, stack.series, stack.minutes)
        for name, condition in conditions(stack.plan).items()
    }
    return {name: minutes for name, minutes in rung.items() if minutes}


def _new(stack: StackSeries) -> StackSeries:
    """Return a stack for whose first half nothing is written: its alerts stand before its database does."""
    series = [
        replace(each, points={at: point for at, point in each.points.items() if at >= stack.minutes // 2})
        for each in stack.series
    ]
    return StackSeries(stack.plan, stack.minutes, series)


def conditions(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the condition of each alert, by the alert's name in `infra`."""
    return {
        name.removeprefix("monitoring-"): condition
        for name, state in plan.items()
        if state["type"] == "gcp:monitoring/alertPolicy:AlertPolicy"
        for condition in state["inputs"]["conditions"]
    }


def _named(plan: Plan, kind: str, label: str) -> list[str]:
    return [each[label] for each in resources(plan) if each["type"] == kind]


def _instances(plan: Plan) -> int:
    (service,) = (
        each["inputs"] for each in plan.values() if each["type"] == "gcp:cloudrunv2/service:Service"
    )
    return int(service["template"]["scaling"]["minInstanceCount"])
