"""A mistake in a stack's file is refused before anything is declared, by its key's name and with the fix."""

import json

import pytest

from event_store.errors import ConfigurationError
from event_store_infra.settings import Settings
from tests.event_store_infra.inventory.variants import KEY

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n"
GOOGLE = {"gcp:project": "event-store-dev", "gcp:region": "europe-west1"}


def parse(**texts: str) -> Settings:
    """Parse a configuration that holds these keys of ours."""
    return Settings.parse({**GOOGLE, **{f"event-store:{key}": text for key, text in texts.items()}})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "gcp:project is missing (the id of the Google Cloud project): set it"),
        ({"gcp:project": "event-store-dev"}, "gcp:region is missing"),
        (
            {"gcp:project": "No", "gcp:region": "europe-west1"},
            "gcp:project is 'No', but must be a project's id",
        ),
        (
            {"gcp:project": "event-store-dev", "gcp:region": "Europe"},
            "gcp:region is 'Europe', but must be a region as",
        ),
    ],
)
def test_where_it_goes_must_be_said(config: dict[str, str], message: str) -> None:
    """Project and region have no default: a stack never lands somewhere by accident."""
    with pytest.raises(ConfigurationError) as refused:
        Settings.parse(config)

    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        (
            "prefx",
            "x",
            "event-store:prefx is not a setting (did you mean prefix?); known are",
        ),
        ("zzz", "x", "event-store:zzz is not a setting; known are"),
        ("project", "other", "event-store:project is not a setting"),
        ("database", '{"teir": "x"}', "event-store:database.teir is not a setting (did you mean tier?)"),
        ("service", '{"port": 1}', "event-store:service.port is not a setting"),
        ("prefix", "Event", "event-store:prefix is 'Event', but must be 2 to 21 small letters"),
        ("prefix", "a" * 22, "but must be 2 to 21 small letters"),
        ("prefix", "orders-", "no hyphen last"),
        ("topology", "", "event-store:topology is '', but must be a path"),
        (
            "ordering",
            '"aggregate"',
            "event-store:ordering is 'aggregate', but must be a mapping of partitions",
        ),
        ("ordering", "{}", "event-store:ordering.partitions is missing"),
        ("ordering", '{"partitions": 0}', "event-store:ordering.partitions is 0, but must be 1 to 100000"),
        ("labels", '["a"]', "event-store:labels is ['a'], but must be a mapping"),
        ("labels", '{"a": ""}', "event-store:labels.a is '', but must be 1 to 63 small letters"),
        ("labels", '{"a": 1}', "event-store:labels.a is 1, but must be a text"),
        ("labels", '{"Team A": "a"}', "event-store:labels has the key 'Team A', but keys must be"),
        ("network", '{"cidr": "10.0.0.1/24"}', "event-store:network.cidr: 10.0.0.1/24 has host bits set"),
        ("network", '{"cidr": "8.8.8.0/24"}', "event-store:network.cidr is 8.8.8.0/24, but must be private"),
        (
            "network",
            '{"cidr": "10.0.0.0/27"}',
            "event-store:network.cidr is 10.0.0.0/27, but must be /26 or larger",
        ),
        ("network", '{"services_prefix_length": 25}', "is 25, but must be 16 to 24 bits"),
        (
            "database",
            "[]",
            "event-store:database is [], but must be a mapping of availability, backup_start_time",
        ),
        (
            "database",
            '{"backups": "yes"}',
            "event-store:database.backups is 'yes', but must be true or false",
        ),
        ("database", '{"disk_size_gb": true}', "is True, but must be a whole number"),
        (
            "database",
            '{"disk_size_gb": 9}',
            "event-store:database.disk_size_gb is 9, but must be 10 to 65536 GB",
        ),
        (
            "database",
            '{"disk_size_gb": 100, "disk_limit_gb": 50}',
            "disk_size_gb is 100 already: raise the limit",
        ),
        ("database", '{"version": "POSTGRES_15"}', "(did you mean POSTGRES_1"),
        ("database", '{"edition": "PLUS"}', "allowed are ENTERPRISE, ENTERPRISE_PLUS"),
        ("database", '{"edition": "ENTERPRISE_PLUS"}', "but ENTERPRISE_PLUS has db-perf-optimized-N-<n>"),
        (
            "database",
            '{"tier": "db-perf-optimized-N-2"}',
            "but ENTERPRISE has db-custom-<n>-<n>, db-f1-micro",
        ),
        (
            "database",
            '{"tier": "db-custom-3-12288"}',
            "has 3 vCPUs, but must have 1 or an even number up to 96",
        ),
        ("database", '{"tier": "db-custom-1-1024"}', "has 1024 MiB, but with 1 vCPU must have 3840 to 6656"),
        ("database", '{"tier": "db-custom-2-8000"}', "in steps of 256"),
        (
            "database",
            '{"availability": "REGIONAL", "point_in_time_recovery": false}',
            "REGIONAL needs backups and",
        ),
        (
            "database",
            '{"backups": false}',
            "point_in_time_recovery needs backups: set event-store:database.backups to",
        ),
        ("database", '{"log_retention_days": 8}', "but ENTERPRISE keeps at most 7 days"),
        (
            "database",
            '{"log_retention_days": 7, "retained_backups": 6}',
            "retained_backups is 6, but log_retention_days is 7: keep at least as many backups",
        ),
        (
            "database",
            '{"edition": "ENTERPRISE_PLUS", "tier": "db-perf-optimized-N-3"}',
            "has 3 vCPUs, but must have one of 2, 4, 8, 16, 32, 48, 64, 80, 96, 128",
        ),
        ("database", '{"backup_start_time": "24:00"}', "is '24:00', but must be a time as in 02:00"),
        (
            "database",
            '{"maintenance_day": 0}',
            "event-store:database.maintenance_day is 0, but must be 1 to 7",
        ),
        (
            "database",
            '{"deny_maintenance_start": "2026-11-20"}',
            "deny_maintenance_start and event-store:database.deny_maintenance_end belong together",
        ),
        (
            "database",
            '{"deny_maintenance_start": "11-20", "deny_maintenance_end": "2027-01-02"}',
            "deny_maintenance_start is '11-20', but must be a day as in 2026-11-20; empty for none",
        ),
        (
            "database",
            '{"deny_maintenance_start": "2026-11-20", "deny_maintenance_end": "2027-2-18"}',
            "to event-store:database.deny_maintenance_end 2027-2-18 are 91 days, but must be 1 to 90",
        ),
        (
            "database",
            '{"deny_maintenance_start": "2026-12-20", "deny_maintenance_end": "2026-12-19"}',
            "are 0 days, but must be 1 to 90",
        ),
        (
            "database",
            '{"deny_maintenance_start": "2027-02-29", "deny_maintenance_end": "2027-03-02"}',
            "deny_maintenance_start is '2027-02-29', but there is no such day",
        ),
        ("database", '{"flags": {"work_mem": 4096}}', "flags.work_mem is 4096, but must be a text"),
        (
            "database",
            '{"flags": {"cloudsql.iam_authentication": "off"}}',
            "flags.cloudsql.iam_authentication cannot be set (always on",
        ),
        (
            "database",
            '{"flags": {"synchronous_commit": "off"}}',
            "flags.synchronous_commit cannot be set (always on, since an append is answered after",
        ),
        (
            "database",
            '{"flags": {"max_connections": "many"}}',
            "flags.max_connections is 'many', but must be 14 to 262143",
        ),
        (
            "database",
            '{"flags": {"max_connections": "20"}}',
            "may open 42 connections, but a database of tier db-custom-1-3840 takes 20, of which 10",
        ),
        ("database", '{"trusted_ca": "mine"}', "but must be certificates, one after the other, or empty"),
        (
            "database",
            json.dumps({"engine": "alloydb", "trusted_ca": CERTIFICATE}),
            "put all certificates into event-store:alloydb.server_ca",
        ),
        ("database", '{"kms_key": "mine"}', "but must be as in projects/P/locations/L/keyRings/R"),
        (
            "database",
            '{"kms_key": "projects/p/locations/europe/keyRings/r/cryptoKeys/k"}',
            "event-store:database.kms_key is in europe, but gcp:region is europe-west1",
        ),
        (
            "database",
            json.dumps({"earlier_kms_keys": ["mine"]}),
            "earlier_kms_keys[0] is 'mine', but must be as in projects/P/locations/L/keyRings/R",
        ),
        (
            "database",
            json.dumps({"earlier_kms_keys": [KEY.replace("europe-west1", "europe")]}),
            "event-store:database.earlier_kms_keys[0] is in europe, but gcp:region is europe-west1",
        ),
        (
            "database",
            json.dumps({"kms_key": KEY, "earlier_kms_keys": [KEY]}),
            f"earlier_kms_keys contains {KEY}, which is event-store:database.kms_key: remove it",
        ),
        (
            "database",
            json.dumps({"earlier_kms_keys": [KEY, KEY]}),
            f"earlier_kms_keys lists {KEY} twice: remove one",
        ),
        (
            "database",
            json.dumps({"instance": "theirs", "earlier_kms_keys": [KEY]}),
            "instance belongs to somebody else, who grants on its keys: remove earlier_kms_keys",
        ),
        ("database", '{"engine": "alloy"}', "(did you mean alloydb?); allowed are cloudsql, alloydb"),
        (
            "database",
            '{"engine": "alloydb", "instance": "theirs"}',
            "engine alloydb supports neither existing instances nor restores",
        ),
        (
            "database",
            '{"read_replica": true, "engine": "alloydb"}',
            "a Cloud SQL instance of the stack's own: remove it, and set event-store:alloydb.read_nodes",
        ),
        (
            "database",
            '{"read_replica": true, "backups": false, "point_in_time_recovery": false}',
            "event-store:database.read_replica needs backups",
        ),
        (
            "database",
            '{"read_replica": true, "tier": "db-custom-2-7680", "replica_tier": "db-custom-1-3840"}',
            "event-store:database.replica_tier: lower than the primary's",
        ),
        (
            "database",
            (
                '{"read_replica": true, "flags": {"max_connections": "200"},'
                ' "replica_flags": {"max_connections": "199"}}'
            ),
            "event-store:database.replica_flags.max_connections: lower than the primary's",
        ),
        (
            "database",
            (
                '{"read_replica": true, "flags": {"max_worker_processes": "16"},'
                ' "replica_flags": {"max_worker_processes": "8"}}'
            ),
            "event-store:database.replica_flags.max_worker_processes: lower than the primary's",
        ),
        (
            "database",
            '{"read_replica": true, "replica_flags": {"synchronous_commit": "off"}}',
            "event-store:database.replica_flags.synchronous_commit cannot be set",
        ),
        ("database", '{"replica_flags": {"work_mem": "1"}}', "set event-store:database.read_replica to true"),
        (
            "database",
            '{"engine": "alloydb", "replica_tier": "db-custom-2-7680"}',
            "event-store:database.replica_tier is for Cloud SQL only: remove it",
        ),
        (
            "database",
            '{"engine": "alloydb", "replica_flags": {"max_connections": "900"}}',
            "event-store:database.replica_flags.max_connections: lower than the primary's",
        ),
        (
            "database",
            '{"private_service_connect": true, "instance": "theirs"}',
            "private_service_connect needs a Cloud SQL instance of the stack's own",
        ),
        (
            "database",
            '{"engine": "alloydb", "flags": {"alloydb.iam_authentication": "off"}}',
            "flags.alloydb.iam_authentication cannot be set",
        ),
        (
            "image_readers",
            '["group:a@b.de"]',
            "image_readers[0] is 'group:a@b.de', but must be serviceAccount:",
        ),
        (
            "image_readers",
            '["serviceAccount:a@b.de", "serviceAccount:a@b.de"]',
            "event-store:image_readers lists a member twice",
        ),
        ("alloydb", '{"cpus": 6}', "event-store:alloydb.cpus is 6, but must be one of 2, 4, 8"),
        ("alloydb", '{"read_nodes": 21}', "event-store:alloydb.read_nodes is 21, but must be 0 to 20"),
        ("alloydb", '{"server_ca": "mine"}', "but must be a certificate, or empty"),
        ("service", '{"min_instances": 0}', "event-store:service.min_instances is 0, but must be 1 to 1000"),
        ("service", '{"min_instances": 4}', "raise max_instances or lower min_instances"),
        (
            "service",
            '{"max_instances": 64}',
            "event-store:network.cidr 10.8.0.0/24 has room for 63 instances",
        ),
        ("service", '{"cpu": 3}', "event-store:service.cpu is 3, but must be 1, 2, 4, 6 or 8"),
        (
            "service",
            '{"cpu": 4}',
            "event-store:service.memory_mib is 1024, but with 4 CPU must be 2048 to 16384 MiB",
        ),
        (
            "service",
            '{"concurrency": 1001}',
            "event-store:service.concurrency is 1001, but must be 1 to 1000",
        ),
        ("service", '{"log_level": "info"}', "allowed are DEBUG, INFO, WARNING, ERROR"),
        (
            "service",
            '{"invokers": "group:a@b.c"}',
            "event-store:service.invokers is 'group:a@b.c', but must be a list",
        ),
        ("service", '{"invokers": ["allUsers"]}', "event-store:service.invokers[0] is 'allUsers'"),
        ("service", '{"invokers": ["allAuthenticatedUsers"]}', "the public has no access"),
        ("service", '{"invokers": ["user:a@b.c", "user:a@b.c"]}', "lists a member twice"),
        (
            "service",
            '{"max_instances": 10}',
            "may open 140 connections, but a database of tier db-custom-1-3840 takes 100, of",
        ),
        (
            "service",
            '{"max_instances": 11, "relay": "worker-pool", "relay_instances": 5}',
            "and relay_instances 5 may open 136 connections, but a database of tier db-custom-1-3840 takes",
        ),
        (
            "service",
            '{"max_instances": 63, "relay": "worker-pool"}',
            "but event-store:service.max_instances is 63 and relay_instances 1: enlarge the range",
        ),
        ("service", '{"relay": "pool"}', "allowed are service, worker-pool"),
        (
            "service",
            '{"relay_instances": 11}',
            "event-store:service.relay_instances is 11, but must be 1 to 10",
        ),
        ("monitoring", '{"emails": ["oncall"]}', "event-store:monitoring.emails[0] is 'oncall', but must be"),
        ("monitoring", '{"channels": ["slack"]}', "as in projects/P/notificationChannels/C"),
        (
            "monitoring",
            '{"emails": ["a@b.de", "a@b.de"]}',
            "event-store:monitoring.emails lists an entry twice",
        ),
        ("monitoring", '{"runbook_url": "http://a"}', "but must be an https address, or empty"),
        ("monitoring", '{"relay_lag_seconds": 5}', "is 5, but must be 10 to 86400 seconds"),
        (
            "database",
            '{"generation": 2, "kept_generations": [2]}',
            "must be different numbers below generation",
        ),
        ("database", '{"generation": 3, "kept_generations": [1, 1]}', "must be different numbers below"),
        ("database", '{"kept_generations": ["1"]}', "kept_generations[0] is '1', but must be a whole number"),
        ("database", '{"generation": 2, "restore_from": {"instance": "a"}}', "restore_from.time is missing"),
        (
            "database",
            '{"generation": 2, "restore_from": {"instance": "a", "time": "yesterday"}}',
            "event-store:database.restore_from.time is 'yesterday', but must be a time in UTC, in quotes",
        ),
        (
            "database",
            '{"generation": 2, "restore_from": {"instance": "a", "time": "2026-02-31T08:00:00Z"}}',
            "event-store:database.restore_from.time is 2026-02-31T08:00:00Z: day",
        ),
        (
            "database",
            '{"restore_from": {"instance": "a", "time": "2026-01-31T08:00:00Z"}}',
            "raise event-store:database.generation, and add the old generation to",
        ),
        (
            "database",
            '{"instance": "b", "generation": 2, "kept_generations": [1]}',
            "event-store:database.instance belongs to somebody else and has no",
        ),
        ("migration_attempt", "two", "event-store:migration_attempt is 'two', but must be a whole number"),
    ],
)
def test_a_bad_key_or_value_is_refused_by_name(key: str, text: str, message: str) -> None:
    """Every message names the key as the file has it, and says what is allowed."""
    with pytest.raises(ConfigurationError) as refused:
        parse(**{key: text})

    assert message in str(refused.value)
