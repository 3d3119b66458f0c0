"""No configuration that is accepted can be refused by Google for a limit that it documents."""

import ipaddress
import json
import re
import string
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_store.errors import ConfigurationError
from event_store_infra.settings import Settings
from event_store_infra.settings.database.quiet_period import as_google_has_it
from local_gcp.postgres import sql_rules as sql

_PATIENT = settings(max_examples=200)

_scalars = st.one_of(st.none(), st.booleans(), st.integers(-2, 70_000), st.floats(), st.text(max_size=8))
_names = st.one_of(
    st.sampled_from(["event-store", "a", "ab", "a" * 21, "a" * 22]),
    st.text(string.ascii_lowercase + string.digits + "-_", max_size=24),
)


def _mapping(**strategies: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.fixed_dictionaries({}, optional=strategies)


def _often(*values: object) -> st.SearchStrategy[object]:
    return st.integers(0, 19).flatmap(lambda draw: st.sampled_from(values) if draw else _scalars)


_cidrs = st.builds(
    lambda address, bits: f"{address}/{bits}",
    st.sampled_from(["10.0.0.0", "10.1.0.0", "8.8.0.0"]),
    st.integers(0, 33),
)
_tiers = st.one_of(
    st.builds(
        lambda cpus, quarters: f"db-custom-{cpus}-{cpus * quarters * 256}",
        st.sampled_from([0, 1, 2, 3, 4, 8, 96, 98]),
        st.integers(3, 27),
    ),
    st.sampled_from(["db-f1-micro", "db-perf-optimized-N-2", "db-custom-1-3840", "db-custom-2-7680"]),
)
_databases = _mapping(
    edition=_often("ENTERPRISE", "ENTERPRISE_PLUS"),
    tier=_tiers,
    availability=_often("ZONAL", "REGIONAL"),
    disk_size_gb=_often(10, 20, 500, 501),
    disk_limit_gb=_often(10, 20, 500),
    backups=_often(True, False),
    point_in_time_recovery=_often(True, False),
    log_retention_days=_often(1, 7, 8, 35, 36),
    retained_backups=_often(1, 365, 366),
    deny_maintenance_start=_often("11-20", "2026-11-20", "2027-02-29", "2027-01-5"),
    deny_maintenance_end=_often("12-31", "2026-12-31", "2027-02-17", "2027-3-01"),
    flags=st.dictionaries(
        st.sampled_from(["max_connections", "work_mem", "cloudsql.iam_authentication"]),
        _often("60", "4096", "13", "on"),
    ),
)
_services = _mapping(
    min_instances=_often(0, 1, 2, 3),
    max_instances=_often(1, 2, 3, 63, 64),
    cpu=_often(1, 2, 3, 4, 6, 8),
    memory_mib=_often(512, 1024, 2048, 4096, 4097, 16384, 32768),
    concurrency=_often(1, 1000, 1001),
    relay=_often("service", "worker-pool"),
    relay_instances=_often(0, 1, 2, 10, 11),
    invokers=st.lists(st.sampled_from(["group:a@b.c", "user:a@b.c", "allUsers"]), max_size=2),
)


def _parse(**sections: object) -> Settings:
    google = {"gcp:project": "event-store-dev", "gcp:region": "europe-west1"}
    return Settings.parse(google | {f"event-store:{key}": json.dumps(each) for key, each in sections.items()})


@pytest.mark.parametrize("day", ["2026-01-05", "2026-1-5", "2026-11-20"])
def test_a_quiet_day_reaches_google_as_it_comes_back(day: str) -> None:
    """A day without maintenance has no leading zero, which would be a change in every preview."""
    period = {"startDate": as_google_has_it(day), "endDate": as_google_has_it(day), "time": "00:00:00"}
    _, failures = sql.INSTANCE.check(
        {
            "name": "store-1",
            "databaseVersion": "POSTGRES_18",
            "settings": {
                "tier": "db-custom-1-3840",
                "edition": "ENTERPRISE",
                "denyMaintenancePeriod": period,
            },
        }
    )

    assert failures == []


@_PATIENT
@given(values=_databases)
def test_accepted_database_settings_keep_cloud_sql_s_limits(values: object) -> None:
    """A database is refused with our own error or is one that Cloud SQL makes."""
    with suppress(ConfigurationError):
        database = _parse(database=values).database
        assert database.tier.startswith("db-perf-optimized-N-") == (database.edition == "ENTERPRISE_PLUS")
        assert database.disk_limit_gb >= database.disk_size_gb >= 10
        assert database.log_retention_days <= (7 if database.edition == "ENTERPRISE" else 35)
        if database.availability == "REGIONAL":
            assert database.backups
            assert database.point_in_time_recovery
        if database.point_in_time_recovery:
            assert database.backups
        inputs, failures = sql.INSTANCE.check(
            {
                "name": "store-1",
                "databaseVersion": database.version,
                "settings": {
                    "tier": database.tier,
                    "edition": database.edition,
                    "databaseFlags": [
                        {"name": name, "value": value} for name, value in database.flags.items()
                    ],
                    **(
                        {
                            "denyMaintenancePeriod": {
                                "startDate": as_google_has_it(database.deny_maintenance_start),
                                "endDate": as_google_has_it(database.deny_maintenance_end),
                                "time": "00:00:00",
                            }
                        }
                        if database.deny_maintenance_start
                        else {}
                    ),
                },
            }
        )
        assert not failures, inputs
        assert "cloudsql.iam_authentication" not in database.flags
        assert 14 <= database.most_connections <= 262_143
        if custom := re.fullmatch(r"db-custom-(\d+)-(\d+)", database.tier):
            cpus, mebibytes = int(custom[1]), int(custom[2])
            assert cpus == 1 or (cpus % 2 == 0 and cpus <= 96)
            assert mebibytes % 256 == 0
            assert mebibytes >= 3840
            assert 0.9 <= mebibytes / 1024 / cpus <= 6.5


@_PATIENT
@given(values=_services, network=_mapping(cidr=_cidrs))
def test_accepted_service_settings_keep_cloud_run_s_limits(values: object, network: object) -> None:
    """A service is refused with our own error or is one that Cloud Run makes and has room for."""
    with suppress(ConfigurationError):
        accepted = _parse(service=values, network=network)
        service = accepted.service
        subnetwork = ipaddress.ip_network(accepted.network.cidr)
        assert subnetwork.is_private
        pooled = service.relay_instances if service.relay == "worker-pool" else 0
        assert subnetwork.num_addresses >= 4 * (service.max_instances + pooled)
        assert 1 <= service.relay_instances <= 10
        assert 1 <= service.min_instances <= service.max_instances
        assert service.cpu in {1, 2, 4, 6, 8}
        assert service.memory_mib >= 512
        if service.cpu == 4:
            assert service.memory_mib >= 2048
        if service.cpu >= 6:
            assert service.memory_mib >= 4096
        assert service.memory_mib <= 4096 * service.cpu
        assert 1 <= service.concurrency <= 1000
        assert "allUsers" not in service.invokers


@_PATIENT
@given(prefix=_names, label=_names, value=_names)
def test_accepted_names_keep_every_limit(prefix: str, label: str, value: str) -> None:
    """A prefix and labels are refused with our own error or lead to names that Google takes."""
    google = {"gcp:project": "event-store-dev", "gcp:region": "europe-west1"}
    labels = json.dumps({label: value})
    with suppress(ConfigurationError):
        accepted = Settings.parse({**google, "event-store:prefix": prefix, "event-store:labels": labels})
        for account in ("runtime", "migrator", "relay"):
            assert re.fullmatch("[a-z]([-a-z0-9]{4,28}[a-z0-9])", f"{accepted.prefix}-{account}")
        assert len(f"{accepted.prefix}-migrate") + 16 < 63, "job and execution token"
        assert re.fullmatch("[a-z][a-z0-9_-]{0,62}", label)
        assert re.fullmatch("[a-z0-9_-]{1,63}", value)
