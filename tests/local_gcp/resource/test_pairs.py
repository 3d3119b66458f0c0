"""What Google refuses of several properties together is refused here, and what it takes is taken."""

from typing import Any, Final

import pytest

from local_gcp.cloudrun import run_rules as run
from local_gcp.postgres import alloydb_rules as alloydb
from local_gcp.postgres import sql_rules as sql
from local_gcp.recorded import federation, registry, storage
from local_gcp.resource import Limits
from tests.local_gcp.resource.inputs import (
    CLUSTER,
    INSTANCE,
    JOB,
    LOGIN,
    POOL_OF_WORKERS,
    PRIMARY,
    PROVIDER,
    SERVICE,
)
from tests.local_gcp.resource.limits import all_limits

Inputs = dict[str, Any]
BACKUPS: Final = {"enabled": True, "pointInTimeRecoveryEnabled": True}
PLUS: Final = {"tier": "db-perf-optimized-N-2", "edition": "ENTERPRISE_PLUS"}
BUCKET: Inputs = {"name": "photos", "location": "EU"}
IMAGE: Final = {"context": {"location": ".."}, "push": True, "tags": ["words:latest"]}
CONTAINER: Final = {"image": "i"}
WEEKLY: Final = {"daysOfWeeks": ["MONDAY"], "startTimes": [{"hours": 2}]}
GRPC: Final = {"grpc": {"port": 8080}}


def _instance(**settings: Any) -> Inputs:
    instance: Inputs = INSTANCE
    return {**instance, "settings": {**instance["settings"], **settings}}


def _quiet(start: str, end: str) -> Inputs:
    return _instance(denyMaintenancePeriod={"startDate": start, "endDate": end, "time": "00:00:00"})


def _service(**container: Any) -> Inputs:
    return {**SERVICE, "template": {"containers": [{**CONTAINER, **container}]}}


def _job(**container: Any) -> Inputs:
    return {**JOB, "template": {"template": {"containers": [{**CONTAINER, **container}]}}}


def _pool(**container: Any) -> Inputs:
    return {**POOL_OF_WORKERS, "template": {"containers": [{**CONTAINER, **container}]}}


def _limits(cpu: str, memory: str) -> Inputs:
    return {"resources": {"limits": {"cpu": cpu, "memory": memory}}}


def _scaled(lowest: int, highest: int) -> Inputs:
    scaling = {"minInstanceCount": lowest, "maxInstanceCount": highest}
    return {**SERVICE, "template": {"containers": [CONTAINER], "scaling": scaling}}


def _probe(**values: Any) -> Inputs:
    return {"startupProbe": {**GRPC, **values}}


# Each with what is refused, in words, and the nearest that is not.
PAIRS: Final[list[tuple[Limits, Inputs, str, Inputs]]] = [
    (
        sql.INSTANCE,
        _instance(backupConfiguration={**BACKUPS, "transactionLogRetentionDays": 8}),
        "must be 1 to 7 in this edition",
        _instance(**PLUS, backupConfiguration={**BACKUPS, "transactionLogRetentionDays": 35}),
    ),
    (
        sql.INSTANCE,
        _instance(availabilityType="REGIONAL", backupConfiguration={"enabled": True}),
        "REGIONAL needs backups and point-in-time recovery",
        _instance(availabilityType="REGIONAL", backupConfiguration=BACKUPS),
    ),
    (
        sql.INSTANCE,
        _instance(backupConfiguration={"enabled": False, "pointInTimeRecoveryEnabled": True}),
        "needs backups to be enabled",
        _instance(backupConfiguration=BACKUPS),
    ),
    (
        sql.INSTANCE,
        _instance(ipConfiguration={"ipv4Enabled": False}),
        "needs at least one of ipv4Enabled, privateNetwork and pscConfigs",
        _instance(ipConfiguration={"ipv4Enabled": False, "privateNetwork": "projects/p/global/networks/n"}),
    ),
    (
        sql.INSTANCE,
        _instance(tier="db-perf-optimized-N-2"),
        "Invalid Tier (db-perf-optimized-N-2) for (ENTERPRISE) Edition",
        _instance(**PLUS),
    ),
    (
        sql.INSTANCE,
        _instance(databaseFlags=[{"name": "work_mem", "value": "1"}, {"name": "work_mem", "value": "2"}]),
        "has the flag work_mem twice",
        _instance(databaseFlags=[{"name": "work_mem", "value": "1"}]),
    ),
    (sql.INSTANCE, _quiet("2026-11-1", "2027-1-30"), "1 to 90 days", _quiet("2026-11-1", "2027-1-29")),
    (sql.INSTANCE, _quiet("2026-11-2", "2026-11-1"), "1 to 90 days", _quiet("2026-11-2", "2026-11-2")),
    (sql.INSTANCE, _quiet("2027-2-29", "2027-3-1"), "has no such day", _quiet("2028-2-29", "2028-3-1")),
    (
        sql.INSTANCE,
        {**_instance(backupConfiguration={"enabled": True}), "masterInstanceName": "store-1"},
        "must be left out of a read replica",
        {**INSTANCE, "masterInstanceName": "store-1"},
    ),
    (
        sql.INSTANCE,
        {**INSTANCE, "instanceType": "READ_REPLICA_INSTANCE"},
        "is required for a READ_REPLICA_INSTANCE",
        {**INSTANCE, "instanceType": "READ_REPLICA_INSTANCE", "masterInstanceName": "store-1"},
    ),
    (
        sql.USER,
        {"instance": "i", "name": "a@p.iam", "type": "CLOUD_IAM_SERVICE_ACCOUNT", "password": "x"},
        "logs in with its Google identity",
        {"instance": "i", "name": "a", "type": "BUILT_IN", "password": "x"},
    ),
    (
        sql.USER,
        {"instance": "i", "name": "a@p.iam.gserviceaccount.com", "type": "CLOUD_IAM_SERVICE_ACCOUNT"},
        "without .gserviceaccount.com",
        {"instance": "i", "name": "a@p.iam", "type": "CLOUD_IAM_SERVICE_ACCOUNT"},
    ),
    (
        alloydb.CLUSTER,
        {
            **CLUSTER,
            "automatedBackupPolicy": {
                "weeklySchedule": WEEKLY,
                "quantityBasedRetention": {"count": 1},
                "timeBasedRetention": {"retentionPeriod": "86400s"},
            },
        },
        "conflicts with quantityBasedRetention",
        {
            **CLUSTER,
            "automatedBackupPolicy": {
                "weeklySchedule": WEEKLY,
                "quantityBasedRetention": {"count": 1},
            },
        },
    ),
    (
        alloydb.INSTANCE,
        {**PRIMARY, "readPoolConfig": {"nodeCount": 1}},
        "is for a READ_POOL only",
        {**PRIMARY, "instanceType": "READ_POOL", "readPoolConfig": {"nodeCount": 1}},
    ),
    (
        alloydb.INSTANCE,
        {**PRIMARY, "instanceType": "READ_POOL"},
        "is required for a READ_POOL",
        PRIMARY,
    ),
    (
        alloydb.INSTANCE,
        {
            **PRIMARY,
            "instanceType": "READ_POOL",
            "readPoolConfig": {"nodeCount": 1},
            "availabilityType": "ZONAL",
        },
        "follows from the number of nodes",
        {**PRIMARY, "availabilityType": "ZONAL"},
    ),
    (
        alloydb.USER,
        {**LOGIN, "password": "x"},
        "logs in with its Google identity",
        {**LOGIN, "userType": "ALLOYDB_BUILT_IN", "password": "x"},
    ),
    (
        alloydb.USER,
        {**LOGIN, "userId": "a@p.iam.gserviceaccount.com"},
        "without .gserviceaccount.com",
        LOGIN,
    ),
    (storage.BUCKET, {**BUCKET, "name": "google-photos"}, "must not begin with goog", BUCKET),
    (registry.IMAGE, {**IMAGE, "tags": []}, "at least one tag", IMAGE),
    (
        federation.PROVIDER,
        {key: value for key, value in PROVIDER.items() if key != "oidc"},
        "is required, or another of",
        PROVIDER,
    ),
    (run.SERVICE, _scaled(3, 2), "must not be more than maxInstanceCount", _scaled(2, 2)),
    *(
        pair
        for limits, made in (
            (run.SERVICE, _service),
            (run.JOB, _job),
            (run.WORKER_POOL, _pool),
        )
        for pair in (
            (limits, made(**_limits("3", "1Gi")), "cpu 3 must be 1, 2, 4", made(**_limits("2", "1Gi"))),
            (limits, made(**_limits("1", "1")), "must be like 512Mi", made(**_limits("0.5", "512Mi"))),
            (limits, made(**_limits("4", "2047Mi")), "at least 2Gi", made(**_limits("4", "2048Mi"))),
            (limits, made(**_limits("8", "3Gi")), "at least 4Gi", made(**_limits("8", "4Gi"))),
            (
                limits,
                made(envs=[{"name": "PORT", "value": "1"}]),
                "must not set PORT",
                made(envs=[{"name": "A", "value": "1"}]),
            ),
            (
                limits,
                made(envs=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]),
                "sets A twice",
                made(envs=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]),
            ),
            (
                limits,
                made(**_probe(periodSeconds=24, failureThreshold=11)),
                "must be at most 240",
                made(**_probe(periodSeconds=24, failureThreshold=10)),
            ),
            (
                limits,
                made(**_probe(periodSeconds=2, timeoutSeconds=3)),
                "must not be longer than periodSeconds",
                made(**_probe(periodSeconds=3, timeoutSeconds=3)),
            ),
            (
                limits,
                made(startupProbe={**GRPC, "tcpSocket": {"port": 8080}}),
                "must be one of grpc, httpGet and tcpSocket",
                made(startupProbe=GRPC),
            ),
        )
    ),
]


@pytest.mark.parametrize(("limits", "refused", "reason", "taken"), PAIRS)
def test_both_sides_of_what_fits_together(
    limits: Limits, refused: Inputs, reason: str, taken: Inputs
) -> None:
    """The one side is refused for that alone, and its neighbour is taken."""
    assert [reason in each.reason for each in limits.check(refused)[1]] == [True]
    assert limits.check(taken)[1] == []


def test_every_rule_has_both_sides_here_or_a_row_among_the_limits() -> None:
    """A rule that a test has never seen refuse anything is noticed."""
    seen = {
        (limits.type, rule.__qualname__)
        for limits, refused, *_ in PAIRS
        for rule in _refusing(limits, refused)
    }
    elsewhere = {  # tests/local_gcp/resource/test_limits.py, test_metrics.py
        *("_backoff_in_order", "_exactly_once_is_pulled", "_schema_is_one", "_object_is_closed_in_time"),
        *("_holds_what_there_is", "_is_canonical", "_periods_are_minutes", "_rate_limit_is_for_logs"),
        *("_is_bare_endpoint", "_says_who", "_maps_claims", "_conditions_on_claims", "_token_fits"),
        *("_names_no_source_of_everybody", "_cleans_up_one_way_each"),
        *("metric_problems", "_shows_known_metrics", "_reads_what_is_logged"),
        *("_is_whole.<locals>.check", "_traffic_is_named"),
    }
    rules = {(limits.type, rule.__qualname__) for limits in all_limits() for rule in limits.rules}

    assert {each for each in rules - seen if each[1] not in elsewhere} == set()


def _refusing(limits: Limits, refused: Inputs) -> list[Any]:
    checked, _ = limits.check(refused)
    return [rule for rule in limits.rules if [*rule(checked)]]
