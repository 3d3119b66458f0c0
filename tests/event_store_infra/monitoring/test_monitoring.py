"""Every alert watches something that the stack really has, and says what to do when it rings."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from event_store_infra.components.monitoring.alert import RUNBOOK, section
from local_gcp.monitoring.time_series import SeriesFilter
from tests.event_store_infra.engine import Preview

NAMES = {
    "subscription_id": "gcp:pubsub/subscription:Subscription",
    "topic_id": "gcp:pubsub/topic:Topic",
    "service_name": "gcp:cloudrunv2/service:Service",
    "worker_pool_name": "gcp:cloudrunv2/workerPool:WorkerPool",
    "job_name": "gcp:cloudrunv2/job:Job",
    "database_id": "gcp:sql/databaseInstance:DatabaseInstance",
}


@pytest.fixture(scope="session")
def prod(watched: Preview) -> dict[str, dict[str, Any]]:
    """Return the plan of that, by name in the program."""
    return {name: dict(state) for name, state in watched.states.items()}


def _of_type(plan: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each["inputs"] for each in plan.values() if each["type"] == kind]


def _named(plan: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield each label of a resource that an alert or a chart names, with its value."""
    conditions = [
        condition
        for policy in _of_type(plan, "gcp:monitoring/alertPolicy:AlertPolicy")
        for condition in policy["conditions"]
    ]
    (board,) = _of_type(plan, "gcp:monitoring/dashboard:Dashboard")
    text = json.dumps(conditions) + board["dashboardJson"]
    for found in re.findall(r'"filter": ("(?:[^"\\]|\\.)*")', text):
        for each in SeriesFilter.parse(json.loads(found)).comparisons:
            whose, _, label = each.label.partition(".labels.")
            if whose == "resource" and label:
                yield from ((label, value) for value in each.values)
    for found in re.findall(r'"(?:query|prometheusQuery)": ("(?:[^"\\]|\\.)*")', text):
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', json.loads(found)):
            if label in NAMES:
                yield from ((label, value) for value in values.split("|"))


def test_what_is_watched_is_there(prod: dict[str, dict[str, Any]]) -> None:
    """Every name in a filter is that of a resource of the stack: a filter on another never matches."""
    known = {label: {each["name"] for each in _of_type(prod, kind)} for label, kind in NAMES.items()}
    known["database_id"] = {f"event-store-prod:{name}" for name in known["database_id"]}
    named = [*_named(prod)]

    assert len(named) > 40
    assert {label for label, _ in named} == set(NAMES)
    assert all(value in known[label] for label, value in named)


def test_a_replica_is_watched_where_its_lag_is_reported(prod: dict[str, dict[str, Any]]) -> None:
    """The primary reports how far each replica has replayed; a series of the replica's own does not exist."""
    (condition,) = prod["monitoring-replica-lag"]["inputs"]["conditions"]
    labels = dict(re.findall(r'(\w+\.labels\.\w+) = "([^"]*)"', condition["conditionThreshold"]["filter"]))
    primary, replica = prod["database-instance"]["inputs"]["name"], prod["database-replica"]["inputs"]["name"]

    assert labels == {
        "resource.labels.database_id": f"event-store-prod:{primary}",
        "metric.labels.replica_name": replica,
        "metric.labels.replica_lag_type": "replay_location",
    }


def test_transaction_ids_are_watched_before_they_run_out(prod: dict[str, dict[str, Any]]) -> None:
    """What stops all writing is how many ids are in use, not how old the oldest open transaction is."""
    (condition,) = prod["monitoring-database-transactions"]["inputs"]["conditions"]
    threshold = condition["conditionThreshold"]

    assert "database/postgresql/transaction_id_utilization" in threshold["filter"]
    assert 0.1 < threshold["thresholdValue"] < 0.9


@pytest.mark.parametrize(
    ("name", "resource"),
    [("service-errors", "cloud_run_revision"), ("relay-errors", "cloud_run_worker_pool")],
)
def test_errors_are_the_lines_of_the_containers_alone(
    prod: dict[str, dict[str, Any]], name: str, resource: str
) -> None:
    """Cloud Run's own line about a request that it ended, as of a long stream, is no error of ours."""
    (condition,) = prod[f"monitoring-{name}"]["inputs"]["conditions"]
    filter_ = condition["conditionThreshold"]["filter"]

    assert f'resource.type = "{resource}"' in filter_
    assert 'metric.labels.log = one_of("run.googleapis.com/stderr", "run.googleapis.com/stdout")' in filter_
    assert condition["conditionThreshold"]["duration"] == "0s"


def test_the_way_of_a_message_can_be_seen(prod: dict[str, dict[str, Any]]) -> None:
    """The dashboard has every topic and every subscription, from publishing to acknowledgement."""
    (board,) = _of_type(prod, "gcp:monitoring/dashboard:Dashboard")
    shown = json.loads(board["dashboardJson"])
    text = board["dashboardJson"]

    subscriptions = {each["name"] for each in _of_type(prod, NAMES["subscription_id"])}
    topics = {each["name"] for each in _of_type(prod, NAMES["topic_id"])}
    for name in subscriptions | topics:  # a dead-letter topic has a subscription of its own name
        assert f'\\"{name}\\"' in text
    for metric in ("topic_message_sizes_count", "sent_message_count", "ack_message_count"):
        assert metric in text
    assert len(shown["mosaicLayout"]["tiles"]) >= 15


def test_everybody_who_should_know_is_told(prod: dict[str, dict[str, Any]]) -> None:
    """Each alert goes to every address and every channel of the settings."""
    policies = _of_type(prod, "gcp:monitoring/alertPolicy:AlertPolicy")
    (channel,) = _of_type(prod, "gcp:monitoring/notificationChannel:NotificationChannel")

    assert channel["labels"] == {"email_address": "oncall@example.com"}
    assert len(policies) == 16
    assert all(len(each["notificationChannels"]) == 2 for each in policies)


def test_a_stack_whose_alerts_tell_nobody_says_so(preview: tuple[str, Preview], watched: Preview) -> None:
    """Each preview and update of a protected stack warns until somebody is named; others are left alone."""
    stack, made = preview
    warning = "the alerts of this stack tell nobody: set event-store:monitoring.emails"

    assert made.code == 0, made.text
    assert (warning in made.text) == (stack in {"staging", "prod"})
    assert warning not in watched.text


def test_every_alert_says_what_to_do(prod: dict[str, dict[str, Any]]) -> None:
    """A notification carries its section of the runbook and a link to it; no section is without its alert."""
    policies = _of_type(prod, "gcp:monitoring/alertPolicy:AlertPolicy")
    runbook = RUNBOOK.read_text(encoding="utf-8")
    titles = re.findall(r"^## (.*)$", runbook, re.MULTILINE)

    assert sorted(titles) == sorted(each["conditions"][0]["displayName"] for each in policies)
    for each in policies:
        title = each["conditions"][0]["displayName"]
        assert each["documentation"]["content"] == section(title)
        anchor = re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        assert each["documentation"]["links"][0]["url"] == f"https://example.com/runbook.md#{anchor}"
