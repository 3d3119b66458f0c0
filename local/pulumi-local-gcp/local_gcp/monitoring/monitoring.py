"""Metrics that are made of logs, and the alert policies that may refer to them after a while.

Google knows a new metric of logs only after some minutes, and until then refuses each policy on it:
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
    """Metrics that are made of logs.

    Args:
        clock: Tells the time in seconds. A metric that was made before the cloud began counts as known.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(monitoring_rules.METRIC, "{name}")
        self._clock = clock
        self._made: dict[str, float] = {}

    def is_known(self, identity: str) -> bool:
        """Tell whether alert policies know a metric by now."""
        made = self._made.get(identity)
        return made is None or self._clock() - made >= FRESH_SECONDS

    async def create(self, draft: Draft) -> Properties:
        """Make it, and note when."""
        self._made[draft.id] = self._clock()
        return await super().create(draft)

    async def update(self, _record: Record, draft: Draft) -> Properties:
        """Change it; what knew it still does."""
        return await super().create(draft)

    async def delete(self, record: Record) -> None:
        """Forget when it was made."""
        self._made.pop(record.id, None)


class AlertPolicyKind(Recorded):
    """Alert policies, whose conditions name metrics that Google knows.

    Args:
        records: What stands in the cloud.
        metrics: The metrics that are made of logs.
    """

    def __init__(self, records: Records, metrics: LogMetricKind) -> None:
        super().__init__(
            monitoring_rules.ALERT_POLICY, "projects/{project}/alertPolicies/{displayName}", name="{id}"
        )
        self._records = records
        self._metrics = metrics

    async def create(self, draft: Draft) -> Properties:
        """Make it.

        Raises:
            CloudError: A condition names a metric that is not known, or not known yet.
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
    """Return the type that a metric of logs has by its inputs."""
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
