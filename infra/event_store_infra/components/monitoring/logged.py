"""Log-based metrics of the service's own log lines."""

import math
from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_gcp import logging

# What the service logs once a minute, see `event_store.server.heartbeat`; a test compares the two.
LOGGED: Final[Mapping[str, str]] = {
    "relay_lag_seconds": "for how long the next event to be published has been in the log",
    "append_seconds": "how long 99 of 100 appends of the last minute took at most",
}
_SHORTEST_SECONDS: Final = 0.001
_GROWTH: Final = 1.5  # of a bucket over the one below
_BUCKETS: Final = 52  # up to weeks


def logged_metric(
    name: str, project: str, service: str, field: str, too_long: float, opts: pulumi.ResourceOptions
) -> logging.Metric:
    """Declare the metric of one field of the service's log lines.

    Args:
        name: Its name in the program.
        project: The id of the project.
        service: The Cloud Run service that writes the lines.
        field: The field, a number of seconds.
        too_long: The seconds above which an alert rings. A bucket ends there, so that no value below counts
            as one above.
        opts: Its options.
    """
    below = round(math.log(too_long / _SHORTEST_SECONDS, _GROWTH))
    return logging.Metric(
        name,
        project=project,
        name=f"{service}/{field}",
        description=f"Event store: {LOGGED[field]}",
        filter=(
            f'resource.type = "cloud_run_revision" AND resource.labels.service_name = "{service}" '
            f"AND jsonPayload.{field} >= 0"
        ),
        value_extractor=f"EXTRACT(jsonPayload.{field})",
        metric_descriptor=logging.MetricMetricDescriptorArgs(
            metric_kind="DELTA", value_type="DISTRIBUTION", unit="s", display_name=f"Event store: {field}"
        ),
        bucket_options=logging.MetricBucketOptionsArgs(
            exponential_buckets=logging.MetricBucketOptionsExponentialBucketsArgs(
                num_finite_buckets=_BUCKETS, growth_factor=_GROWTH, scale=too_long / _GROWTH**below
            )
        ),
        opts=opts,
    )
