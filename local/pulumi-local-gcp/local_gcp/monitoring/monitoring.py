"""Metrics made of logs, and the alert policies that may refer to them after a while.

Google knows a new metric of logs only after some minutes, and rejects each policy on it until then:
https://github.com/hashicorp/terraform-provider-google/issues/11102.
"""

import time
from collections.abc import Callable
from typing import Final

from local_gcp.monitoring import monitoring_rules
from local_gcp.monitoring.log_filter import LogFilter
from local_gcp.monitoring.metrics import RESOURCES, USER_PREFIX, Metric
from local_gcp.recorded.recorded import Recorded
from local_gcp.resource.errors import CloudError
from local_gcp.resource.kind import Draft
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record, Records

FRESH_SECONDS: Final = 600.0


class LogMetricKind(Recorded):
    """Metrics made of logs.

    Args:
        clock: Returns the time in seconds. A metric that was made before the cloud began counts as known.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(monitoring_rules.METRIC, "{name}")
        self._clock = clock
        self._made: dict[str, float] = {}

    def is_known(self, identity: str) -> bool:
        """Tell whether alert policies already know a metric."""
        made = self._made.get(identity)
        return made is None or self._clock() - made >= FRESH_SECONDS

    async def create(self, draft: Draft) -> Properties:
        """Record the metric, and the time of its creation."""
        self._made[draft.id] = self._clock()
        return await super().create(draft)

    async def update(self, _record: Record, draft: Draft) -> Properties:
        """Change the metric; policies that know it still do."""
        return await super().create(draft)

    async def delete(self, record: Record) -> None:
        """Forget the time of the metric's creation."""
        self._made.pop(record.id, None)


class AlertPolicyKind(Recorded):
    """Alert policies, whose conditions must name metrics that Google knows.

    Args:
        records: The recorded resources.
        metrics: The metrics made of logs.
    """

    def __init__(self, records: Records, metrics: LogMetricKind) -> None:
        super().__init__(
            monitoring_rules.ALERT_POLICY, "projects/{project}/alertPolicies/{displayName}", name="{id}"
        )
        self._records = records
        self._metrics = metrics

    async def create(self, draft: Draft) -> Properties:
        """Check the metrics of the policy's conditions, and record the policy.

        Raises:
            CloudError: A condition names a metric that is unknown, or not known yet.
        """
        logged = {
            f"{USER_PREFIX}{record.id}": metric_of(record.inputs)
            for record in self._records.of_type(monitoring_rules.METRIC.type)
            if self._metrics.is_known(record.id)
        }
        for path, reason in monitoring_rules.metric_problems(draft.inputs, logged):
            raise CloudError(f"googleapi: Error 404: {path}: {reason}, notFound")
        return await super().create(draft)


def metric_of(inputs: Properties) -> Metric:
    """Return the metric type that the inputs of a metric of logs define."""
    resource = LogFilter.parse(inputs["filter"]).value_of("resource.type")
    descriptor = inputs["metricDescriptor"]
    return Metric(
        kind=descriptor["metricKind"],
        value=descriptor["valueType"],
        unit=descriptor.get("unit", "1"),
        resources=(resource,) if resource else tuple(RESOURCES),
        labels=dict.fromkeys(inputs.get("labelExtractors", {}), ()),
        writer="the lines that its filter selects",
    )
