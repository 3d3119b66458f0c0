"""The dashboard: charts in the order of an event's path, from append to acknowledgement.

What it gives is what Google gives back: every default is written out and nothing is empty, or each preview
would show a change.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from event_store_infra.components.monitoring.alerts import Watched, append_latency, relay_lag
from event_store_infra.components.monitoring.series import Series

_COLUMNS: Final = 48
_WIDTH: Final = 16
_HEIGHT: Final = 12
_PERIOD_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Tile:
    """A chart: its title and what it shows, time series or expressions in PromQL."""

    title: str
    series: Sequence[Series | str]


def dashboard(watched: Watched) -> str:
    """Return the dashboard's JSON."""
    tiles = [
        {
            "xPos": number % 3 * _WIDTH,
            "yPos": number // 3 * _HEIGHT,
            "width": _WIDTH,
            "height": _HEIGHT,
            "widget": {"title": tile.title, "xyChart": _chart(tile)},
        }
        for number, tile in enumerate(_tiles(watched))
    ]
    # Google leaves out a place that is zero.
    tiles = [{name: value for name, value in tile.items() if value != 0} for tile in tiles]
    content = {
        "displayName": f"Event store: {watched.service}",
        "mosaicLayout": {"columns": _COLUMNS, "tiles": tiles},
    }
    return json.dumps(content, sort_keys=True)


def _tiles(watched: Watched) -> Iterator[Tile]:
    service = {"resource.labels.service_name": [watched.service]}
    yield Tile(
        "Calls of the service, per second", [_run("request_count", service, "ALIGN_RATE", "REDUCE_SUM")]
    )
    yield Tile("Append: 99 of 100 take at most, seconds", [append_latency(watched)])
    yield Tile("Relay lag, seconds", [relay_lag(watched)])
    if watched.topics:
        topics = {"resource.labels.topic_id": watched.topics}
        yield Tile("Published, messages per second by topic", [_messages(topics)])
        yield Tile(
            "Publish requests that failed, per second by topic",
            [_topic("send_request_count", {**topics, "metric.labels.response_class": ["!success"]})],
        )
    if watched.subscriptions:
        rate = ("ALIGN_RATE", "REDUCE_SUM")
        yield Tile(
            "Delivered, per second", [_subscription("sent_message_count", watched.subscriptions, *rate)]
        )
        yield Tile(
            "Acknowledged, per second", [_subscription("ack_message_count", watched.subscriptions, *rate)]
        )
        yield Tile(
            "Unacknowledged messages", [_subscription("num_undelivered_messages", watched.subscriptions)]
        )
        yield Tile(
            "Oldest unacknowledged, seconds",
            [_subscription("oldest_unacked_message_age", watched.subscriptions)],
        )
        yield Tile("Dead letters", [_subscription("num_undelivered_messages", watched.dead_letters)])
    yield Tile(
        "Instances of the service", [_run("container/instance_count", service, "ALIGN_MAX", "REDUCE_SUM")]
    )
    yield Tile(
        "CPU and memory of the service",
        [
            _run(f"container/{what}/utilizations", service, "ALIGN_PERCENTILE_99", "REDUCE_MAX")
            for what in ("cpu", "memory")
        ],
    )
    if not watched.instance:
        return
    yield Tile(
        "CPU, memory and disk of the database",
        [_database(watched, f"{what}/utilization") for what in ("cpu", "memory", "disk")],
    )
    yield Tile("Connections of the database", [_database(watched, "postgresql/num_backends", "REDUCE_SUM")])
    yield Tile(
        "Age of the oldest transaction", [_database(watched, "postgresql/vacuum/oldest_transaction_age")]
    )


def _run(metric: str, where: Mapping[str, Sequence[str]], aligner: str, reducer: str) -> Series:
    return Series(
        resource="cloud_run_revision",
        metric=f"run.googleapis.com/{metric}",
        where=where,
        aligner=aligner,
        reducer=reducer,
    )


def _topic(metric: str, where: Mapping[str, Sequence[str]]) -> Series:
    return Series(
        resource="pubsub_topic",
        metric=f"pubsub.googleapis.com/topic/{metric}",
        where=where,
        aligner="ALIGN_RATE",
        reducer="REDUCE_SUM",
        by=("resource.label.topic_id",),
    )


def _messages(topics: Mapping[str, Sequence[str]]) -> str:
    """Return PromQL of the messages per second; a topic's only count of messages is that of their sizes."""
    sizes = Series(resource="pubsub_topic", metric="pubsub.googleapis.com/topic/message_sizes", where=topics)
    return f"sum by (topic_id) (rate({sizes.selector('_count')}[{2 * _PERIOD_SECONDS}s]))"


def _subscription(
    metric: str, names: Sequence[str], aligner: str = "ALIGN_MAX", reducer: str = "REDUCE_MAX"
) -> Series:
    return Series(
        resource="pubsub_subscription",
        metric=f"pubsub.googleapis.com/subscription/{metric}",
        where={"resource.labels.subscription_id": names},
        aligner=aligner,
        reducer=reducer,
        by=("resource.label.subscription_id",),
    )


def _database(watched: Watched, metric: str, reducer: str = "REDUCE_MAX") -> Series:
    return Series(
        resource="cloudsql_database",
        metric=f"cloudsql.googleapis.com/database/{metric}",
        where={"resource.labels.database_id": [f"{watched.project}:{watched.instance}"]},
        reducer=reducer,
    )


def _chart(tile: Tile) -> dict[str, Any]:
    return {
        "chartOptions": {"mode": "COLOR"},
        "dataSets": [
            {
                "minAlignmentPeriod": f"{_PERIOD_SECONDS}s",
                "plotType": "LINE",
                "targetAxis": "Y1",
                "timeSeriesQuery": _query(series),
            }
            for series in tile.series
        ],
        "yAxis": {"scale": "LINEAR"},
    }


def _query(series: Series | str) -> dict[str, Any]:
    if isinstance(series, str):
        return {"prometheusQuery": series}
    aggregation = {_camel(name): value for name, value in series.aggregation(_PERIOD_SECONDS).items()}
    return {"timeSeriesFilter": {"filter": series.filter, "aggregation": aggregation}}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
