"""An alert rings at its cause, and at nothing else: its condition is evaluated on what Google writes then."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from event_store_infra.components.monitoring.alerts import Watched, alerts
from event_store_infra.settings import MonitoringSettings
from tests.event_store_infra.engine import Preview
from tests.event_store_infra.monitoring.health import GIB, conditions, healthy, ringing, rung_in_health
from tests.event_store_infra.monitoring.lines import log
from tests.event_store_infra.monitoring.real_lines import RealLines
from tests.event_store_infra.monitoring.series import Plan, StackSeries, replicas, resources

MINUTES: Final = 60
BEGINS: Final = 30  # the minute in which a cause does
MOST_INSTANCES: Final = 10  # of the profile prod
DISK_LIMIT: Final = 2000 * GIB
MOST_CONNECTIONS: Final = 500  # of its tier
SQL: Final = "cloudsql.googleapis.com/database/"
SUBSCRIPTION: Final = "vocabulary-projection"


@dataclass(frozen=True, slots=True)
class Incident:
    """What goes wrong in a stack, and how soon somebody must know.

    Attributes:
        does: Writes what Google writes then.
        within_minutes: How long after its beginning the alert rings at the latest.
    """

    does: Callable[[StackSeries, RealLines], None]
    within_minutes: int


def _at(stack: StackSeries, kind: str) -> dict[str, str]:
    (found,) = (each for each in resources(stack.plan) if each["type"] == kind)
    return found


def _from_the_beginning(value: float) -> Callable[[int], float | None]:
    return lambda minute: value if minute >= BEGINS else None


def _logs(kind: str, usual: str, then: str) -> Callable[[StackSeries, RealLines], None]:
    """Let a container log another line each minute, once it begins; an empty one for none."""

    def does(stack: StackSeries, lines: RealLines) -> None:
        first, second = (getattr(lines, name) if name else "" for name in (usual, then))
        written = {minute: [first if minute < BEGINS else second] for minute in range(MINUTES)}
        log(stack, {minute: each for minute, each in written.items() if each != [""]}, _at(stack, kind))

    return does


def _logs_once(kind: str, usual: str, once: str) -> Callable[[StackSeries, RealLines], None]:
    """Let a container log a single other line."""

    def does(stack: StackSeries, lines: RealLines) -> None:
        written = {minute: [getattr(lines, usual)] for minute in range(MINUTES)}
        log(stack, written | {BEGINS: [getattr(lines, once)]}, _at(stack, kind))

    return does


def _writes(
    metric: str,
    value: float | Callable[[int], float | None],
    where: dict[str, str] | None = None,
    **labels: str,
) -> Callable[[StackSeries, RealLines], None]:
    at = value if callable(value) else _from_the_beginning(value)
    return lambda stack, _lines: stack.write(metric, at, where, **labels)


def _primary_is(metric: str, value: float, **labels: str) -> Callable[[StackSeries, RealLines], None]:
    def does(stack: StackSeries, _lines: RealLines) -> None:
        ((_, primary),) = replicas(stack.plan)
        stack.write(SQL + metric, _from_the_beginning(value), {"database_id": primary}, **labels)

    return does


def _replica_is_behind(stack: StackSeries, _lines: RealLines) -> None:
    ((replica, primary),) = replicas(stack.plan)
    labels = {"replica_name": replica, "replica_lag_type": "replay_location"}
    metric = f"{SQL}postgresql/replication/replica_byte_lag"
    stack.write(metric, _from_the_beginning(GIB), {"database_id": primary}, **labels)


def _is_full(stack: StackSeries, _lines: RealLines) -> None:
    place = {"service_name": _at(stack, "cloud_run_revision")["service_name"]}
    for state, count in (("active", MOST_INSTANCES - 1), ("idle", 1)):
        stack.write(
            "run.googleapis.com/container/instance_count", _from_the_beginning(count), place, state=state
        )


CAUSES: Final[dict[str, Incident]] = {
    # Nothing relays: an event waits in the log, and each instance says so.
    "relay-lag": Incident(_logs("cloud_run_revision", "healthy", "stuck"), 7),
    # The service is gone, or does not reach its database.
    "silence": Incident(_logs("cloud_run_revision", "healthy", ""), 11),
    # A transaction holds what appends wait for.
    "append-latency": Incident(_logs("cloud_run_revision", "healthy", "slow"), 16),
    "service-errors": Incident(_logs_once("cloud_run_revision", "healthy", "service_error"), 1),
    "relay-errors": Incident(_logs_once("cloud_run_worker_pool", "publishing", "relay_error"), 1),
    # A consumer is stuck: what it does not acknowledge grows older.
    "unacknowledged": Incident(
        _writes(
            "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
            lambda minute: 60.0 * max(0, minute - BEGINS),
            {"subscription_id": SUBSCRIPTION},
        ),
        22,
    ),
    "dead-letters": Incident(
        _writes(
            "pubsub.googleapis.com/subscription/num_undelivered_messages",
            1,
            {"subscription_id": f"{SUBSCRIPTION}-dead-letter"},
        ),
        1,
    ),
    # The relay may not publish, and tries again.
    "publish-failures": Incident(
        _writes(
            "pubsub.googleapis.com/topic/send_request_count",
            2,
            {"topic_id": "vocabulary-events"},
            response_class="invalid",
            response_code="permission_denied",
        ),
        11,
    ),
    "instances": Incident(_is_full, 16),
    "migration-failed": Incident(
        _writes(
            "run.googleapis.com/job/completed_execution_count",
            lambda minute: 1 if minute == BEGINS else None,
            result="failed",
        ),
        1,
    ),
    "database-cpu": Incident(_primary_is("cpu/utilization", 0.95), 16),
    "database-memory": Incident(_primary_is("memory/utilization", 0.97), 16),
    "database-disk": Incident(_primary_is("disk/bytes_used", 0.95 * DISK_LIMIT), 6),
    "database-transactions": Incident(_primary_is("postgresql/transaction_id_utilization", 0.6), 6),
    "database-connections": Incident(
        _primary_is("postgresql/num_backends", 0.85 * MOST_CONNECTIONS, database="event_store"), 6
    ),
    "replica-lag": Incident(_replica_is_behind, 16),
}


BUS: Final = {"unacknowledged", "dead-letters", "publish-failures"}
EVERYTHING: Final = Watched(
    project="p", service="s", relay="r", job="j", instance="i", replica="i-replica", topics=("t",),
    subscriptions=("s",), dead_letters=("d",), least_instances=1, most_instances=MOST_INSTANCES,
    most_connections=MOST_CONNECTIONS, disk_limit_bytes=DISK_LIMIT,
)  # fmt: skip


@pytest.fixture(scope="session")
def plan(watched: Preview) -> Plan:
    """Return the plan of prod with everything that can be watched."""
    return {name: dict(state) for name, state in watched.states.items() if state.get("custom")}


def test_every_alert_has_its_cause(plan: Plan) -> None:
    """A new alert comes with what makes it ring, and a new metric with where Google writes it."""
    assert set(CAUSES) == set(conditions(plan))


@pytest.mark.parametrize("name", CAUSES)
def test_an_alert_rings_at_its_cause_alone(name: str, plan: Plan, lines: RealLines) -> None:
    """It rings soon after its cause begins and not before; no other alert rings for that."""
    stack = healthy(plan, lines.healthy, lines.publishing, MINUTES)
    CAUSES[name].does(stack, lines)

    rung = ringing(stack)

    assert list(rung) == [name]
    assert BEGINS <= rung[name][0] <= BEGINS + CAUSES[name].within_minutes


@pytest.mark.parametrize("name", ["relay-lag", "append-latency"])
def test_a_value_just_below_the_limit_is_healthy(name: str, plan: Plan, lines: RealLines) -> None:
    """A bucket that reaches over the limit would count a value below it as one above."""
    limit = float(conditions(plan)[name]["conditionPrometheusQueryLanguage"]["query"].rpartition(">")[2])
    field = {"relay-lag": "relay_lag_seconds", "append-latency": "append_seconds"}[name]

    for value, expected in ((0.98 * limit, []), (1.02 * limit, [name])):
        line = _with(lines.healthy, field, value)
        assert list(ringing(healthy(plan, line, lines.publishing, MINUTES))) == expected


def test_a_stack_that_is_well_rings_no_alert(
    plan: Plan, preview: tuple[str, Preview], lines: RealLines
) -> None:
    """Neither at work, nor idle, nor new: each stack of ours, and one with everything."""
    own = {name: dict(state) for name, state in preview[1].states.items() if state.get("custom")}

    assert rung_in_health(own, lines) == {}
    assert rung_in_health(plan, lines) == {}


def test_a_canary_beside_the_stable_revision_is_not_at_its_maximum(plan: Plan, lines: RealLines) -> None:
    """Each has the limit to itself: together they may have twice as many instances."""
    stack = healthy(plan, lines.healthy, lines.publishing, MINUTES)
    metric = "run.googleapis.com/container/instance_count"
    stack.write(metric, MOST_INSTANCES - 2, {"service_name": "event-store"}, state="active")
    for series in [each for each in stack.series if each.metric == metric and "revision" in each.resource]:
        revision = {"resource.labels.revision_name": "event-store-00002"}
        stack.put(replace(series, labels={**series.labels, **revision}))

    assert ringing(stack) == {}


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ({"least_instances": MOST_INSTANCES}, {"instances"}),
        ({"relay": ""}, {"relay-errors"}),
        ({"replica": ""}, {"replica-lag"}),
        ({"instance": "", "replica": ""}, {"replica-lag", *(name for name in CAUSES if "database" in name)}),
        ({"topics": (), "subscriptions": (), "dead_letters": ()}, BUS),
    ],
    ids=["no room to scale", "the service relays", "no replica", "on AlloyDB", "a store alone"],
)
def test_no_alert_watches_what_a_stack_does_not_have(change: dict[str, Any], gone: set[str]) -> None:
    """It would be silent for good, or ring for good; what is there is watched all the same."""
    watched = replace(EVERYTHING, **change)

    names = [alert.name for alert in alerts(watched, MonitoringSettings())]

    assert {*CAUSES} - {*names} == gone
    assert len(names) == len({*names})


def _with(line: str, field: str, value: float) -> str:
    content: dict[str, Any] = json.loads(line)
    assert field in content
    return json.dumps(content | {field: value})
