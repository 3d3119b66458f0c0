"""Metrics that Cloud Logging makes of the service's own log lines."""

from collections.abc import Mapping

import pulumi
from pulumi_gcp import logging

# What the service logs once a minute, see `event_store.vitals`; a test compares the two.
LOGGED: Mapping[str, str] = {
    "relay_lag_seconds": "for how long the next event to be published has been in the log",
    "append_seconds": "how long 99 of 100 appends of the last minute took at most",
}


def logged_metric(
    name: str, project: str, service: str, field: str, opts: pulumi.ResourceOptions
) -> logging.Metric:
    """Declare the metric of one field of the service's log lines.

    Args:
        name: Its name in the program.
        project: The id of the project.
        service: The Cloud Run service that writes the lines.
        field: The field, a number of seconds.
        opts: Its options.
    """
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
        # From a millisecond to eighteen days, each bound a half above the one before.
        bucket_options=logging.MetricBucketOptionsArgs(
            exponential_buckets=logging.MetricBucketOptionsExponentialBucketsArgs(
                num_finite_buckets=52, growth_factor=1.5, scale=0.001
            )
        ),
        opts=opts,
    )
