"""Time series as Google writes them: where, under which labels, and nothing else."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_gcp.monitoring.metrics import METRICS, PRIMARY, RESOURCES, Metric

Plan = Mapping[str, Mapping[str, Any]]
Value = float | tuple[float, ...]  # of a distribution, what it is made of
Points = Mapping[int, Value]  # by the minute


@dataclass(frozen=True, slots=True, eq=False)
class TimeSeries:
    """A time series with exactly the labels that its metric and its resource have.

    Attributes:
        metric: The metric's type.
        resource: The resource's type.
        labels: All labels, as in `resource.labels.topic_id`.
        points: The values by minute; none where Google writes none.
        bounds: The upper bounds of a distribution's buckets, but for the last one, which has none.
    """

    metric: str
    resource: str
    labels: Mapping[str, str]
    points: Points
    bounds: tuple[float, ...] = ()

    @property
    def all_labels(self) -> Mapping[str, str]:
        """The labels and the two types, as a filter names them."""
        return {**self.labels, "metric.type": self.metric, "resource.type": self.resource}


def time_series(
    metric_type: str,
    metric: Metric,
    resource: Mapping[str, str],
    points: Points,
    *,
    labels: Mapping[str, str],
    bounds: tuple[float, ...] = (),
) -> TimeSeries:
    """Return a time series of a metric at a resource, whose type is under the key `type`.

    Raises:
        AssertionError: Google has no such series.
    """
    kind = resource["type"]
    there = {name: value for name, value in resource.items() if name != "type"}
    assert kind in metric.resources, f"{metric_type} is not written for {kind}"
    assert set(there) == set(RESOURCES[kind]), kind
    assert set(labels) == set(metric.labels), metric_type
    for name, value in labels.items():
        assert not metric.labels[name] or value in metric.labels[name], f"{name} is never {value}"
    named = {f"resource.labels.{name}": value for name, value in there.items()}
    named |= {f"metric.labels.{name}": value for name, value in labels.items()}
    return TimeSeries(metric_type, kind, named, points, bounds)


def resources(plan: Plan) -> Iterator[dict[str, str]]:
    """Yield the resources of a plan that Google writes metrics for, with their labels."""
    for state in plan.values():
        inputs = state["inputs"]
        name = str(inputs.get("name", ""))
        here = {"project_id": str(inputs.get("project", ""))}
        place = {**here, "location": str(inputs.get("location", ""))}
        match state["type"].rpartition(":")[2]:
            case "Service" if "template" in inputs:
                yield {
                    "type": "cloud_run_revision",
                    "service_name": name,
                    "configuration_name": name,
                    "revision_name": f"{name}-00001",
                    **place,
                }
            case "WorkerPool":
                pool = {"worker_pool_name": name, "revision_name": f"{name}-00001"}
                yield {"type": "cloud_run_worker_pool", **pool, **place}
            case "Job":
                yield {"type": "cloud_run_job", "job_name": name, **place}
            case "DatabaseInstance":
                database = {"database_id": f"{inputs['project']}:{name}", "region": inputs["region"]}
                yield {"type": "cloudsql_database", **database, **here}
            case "Topic":
                yield {"type": "pubsub_topic", "topic_id": name, **here}
            case "Subscription":
                yield {"type": "pubsub_subscription", "subscription_id": name, **here}


def replicas(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield each read replica, with the `database_id` of its primary, which reports how far it is."""
    for state in plan.values():
        inputs = state["inputs"]
        if primary := inputs.get("masterInstanceName"):
            yield inputs["name"], f"{inputs['project']}:{primary}"


@dataclass(slots=True)
class StackSeries:
    """The time series of a stack, of which a cause replaces some.

    Attributes:
        plan: What it is made of.
        minutes: How long it runs.
        series: What is written.
    """

    plan: Plan
    minutes: int
    series: list[TimeSeries] = field(default_factory=list)

    def write(
        self,
        metric_type: str,
        value: float | Callable[[int], float | None],
        where: Mapping[str, str] | None = None,
        **labels: str,
    ) -> None:
        """Write a series at each resource that has the metric, instead of one with the same labels.

        Args:
            metric_type: The metric.
            value: The value, the same in each minute; or a function of the minute, None for no point.
            where: Labels of the resource; all resources, if it is left out.
            labels: The labels of the metric.
        """
        metric = METRICS[metric_type]
        at = (lambda _minute: value) if isinstance(value, int | float) else value
        points = {minute: each for minute in range(self.minutes) if (each := at(minute)) is not None}
        found = [each for each in self._that_have(metric_type, labels) if _agree(each, where or {})]
        assert found, f"nothing in this stack writes {metric_type} {where}"
        for resource in found:
            self.put(time_series(metric_type, metric, resource, points, labels=labels))

    def put(self, series: TimeSeries) -> None:
        """Write a series instead of the one with the same labels."""
        self.series = [each for each in self.series if each.all_labels != series.all_labels]
        self.series.append(series)

    def _that_have(self, metric_type: str, labels: Mapping[str, str]) -> Iterator[dict[str, str]]:
        by_primary = METRICS[metric_type].writer == PRIMARY
        primaries = {primary for name, primary in replicas(self.plan) if name == labels.get("replica_name")}
        for resource in resources(self.plan):
            is_there = not by_primary or resource.get("database_id") in primaries
            if is_there and resource["type"] in METRICS[metric_type].resources:
                yield resource


def _agree(resource: Mapping[str, str], where: Mapping[str, str]) -> bool:
    return all(resource.get(name) == value for name, value in where.items())
