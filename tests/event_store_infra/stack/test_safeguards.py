"""The safeguards of what a stack may ask for: AlloyDB, replicas, endpoints, restored logs, keys."""

from typing import Any

import pytest

from tests.event_store_infra.engine import Engine
from tests.event_store_infra.inventory.variants import (
    BY_ENDPOINT,
    KEY,
    ON_ALLOYDB,
    RESTORED,
    WHOLE,
    file_of_prod,
)

Resources = dict[str, dict[str, Any]]
GRANT = "database-key-keys.europe-west1.store.log"
CLUSTER = "gcp:alloydb/cluster:Cluster"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"


async def _plan(engine: Engine, changes: dict[str, Any]) -> Resources:
    made = await engine.preview("prod", config=file_of_prod(changes))
    assert made.code == 0, made.text
    return {name: dict(state) for name, state in made.states.items() if state.get("custom")}


@pytest.fixture(scope="module")
async def on_alloydb(engine: Engine) -> Resources:
    """Return the plan of a stack on AlloyDB, with a key and readers of its own."""
    return await _plan(engine, WHOLE | ON_ALLOYDB)


@pytest.fixture(scope="module")
async def unprotected(engine: Engine) -> Resources:
    """Return the plan of the same stack once it may go."""
    return await _plan(engine, WHOLE | ON_ALLOYDB | {"event-store:protected": False})


@pytest.fixture(scope="module")
async def by_endpoint(engine: Engine) -> Resources:
    """Return the plan of a stack with a replica, both behind endpoints."""
    return await _plan(engine, BY_ENDPOINT | {"event-store:database": {
        **BY_ENDPOINT["event-store:database"], "kms_key": KEY,
    }})  # fmt: skip


@pytest.fixture(scope="module")
async def restored(engine: Engine) -> Resources:
    """Return the plan of a stack whose log is a clone of an earlier generation's."""
    return await _plan(engine, RESTORED)


def _inputs(plan: Resources, name: str) -> dict[str, Any]:
    inputs: dict[str, Any] = plan[name]["inputs"]
    return inputs


def _waits_for(plan: Resources, name: str) -> set[str]:
    return {urn.rpartition("::")[2] for urn in plan[name]["dependencies"]}


def test_alloydb_is_encrypted_on_disk_and_on_the_way(on_alloydb: Resources) -> None:
    """The team's key is the cluster's, granted before; no instance talks without TLS or in public."""
    cluster = _inputs(on_alloydb, "database-cluster")
    instances = [_inputs(on_alloydb, f"database-{each}") for each in ("primary", "readers")]

    assert cluster["encryptionConfig"] == {"kmsKeyName": KEY}
    assert _inputs(on_alloydb, GRANT)["cryptoKeyId"] == KEY
    assert _inputs(on_alloydb, GRANT)["role"] == "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    assert _inputs(on_alloydb, "database-agent")["service"] == "alloydb.googleapis.com"
    assert GRANT in _waits_for(on_alloydb, "database-cluster")
    for instance in instances:
        assert instance["clientConnectionConfig"]["sslConfig"] == {"sslMode": "ENCRYPTED_ONLY"}
        assert instance["networkConfig"] == {"enablePublicIp": False}
        assert instance["databaseFlags"]["alloydb.iam_authentication"] == "on"


def test_alloydb_keeps_backups_and_every_second(on_alloydb: Resources) -> None:
    """A backup on each day of the week, as many as prod keeps, and continuous backup as the settings say."""
    cluster = _inputs(on_alloydb, "database-cluster")
    backups, continuous = cluster["automatedBackupPolicy"], cluster["continuousBackupConfig"]

    assert backups["enabled"] is True
    assert len(backups["weeklySchedule"]["daysOfWeeks"]) == 7
    assert backups["quantityBasedRetention"] == {"count": 30}
    assert continuous == {"enabled": True, "recoveryWindowDays": 14}
    assert _inputs(on_alloydb, "database-primary")["availabilityType"] == "REGIONAL"


def test_alloydb_is_deleted_by_nobody_s_mistake(on_alloydb: Resources, unprotected: Resources) -> None:
    """Pulumi and the provider refuse cluster and primary, not the pool; nothing forces instances away."""
    cluster, primary = (_inputs(on_alloydb, f"database-{each}") for each in ("cluster", "primary"))

    assert (cluster["deletionProtection"], cluster["deletionPolicy"]) == (True, "PREVENT")
    assert primary["deletionPolicy"] == "PREVENT"
    for name in ("database-cluster", "database-primary"):
        assert on_alloydb[name]["protect"] is True
        assert unprotected[name].get("protect", False) is False
    assert "protect" not in on_alloydb["database-readers"]
    assert _inputs(on_alloydb, "database-readers")["deletionPolicy"] == "DELETE"
    assert _inputs(unprotected, "database-cluster")["deletionProtection"] is False
    assert _inputs(unprotected, "database-cluster")["deletionPolicy"] == "DEFAULT"
    assert _inputs(unprotected, "database-primary")["deletionPolicy"] == "DELETE"


def test_alloydb_s_identities_log_in_without_a_password(on_alloydb: Resources) -> None:
    """Each login is an IAM user that stays with what it owns, and only the migrator is an administrator."""
    users = {
        name: each["inputs"] for name, each in on_alloydb.items() if each["type"] == "gcp:alloydb/user:User"
    }
    job = _inputs(on_alloydb, "migrations-job")["template"]["template"]["containers"][0]

    assert {each["userType"] for each in users.values()} == {"ALLOYDB_IAM_USER"}
    assert {each["deletionPolicy"] for each in users.values()} == {"ABANDON"}
    assert all("database-primary" in _waits_for(on_alloydb, name) for name in users)
    assert {name for name, each in users.items() if "alloydbsuperuser" in each["databaseRoles"]} == {
        "migrations-login-user"
    }
    assert all("alloydbiamuser" in each["databaseRoles"] for each in users.values())
    assert job["args"] == ["migrate", "--create-database"]


def test_a_replica_is_as_safe_as_its_primary(by_endpoint: Resources) -> None:
    """TLS only, no public address, the same key; all that it holds is the primary's, so that it may go."""
    primary, replica = (_inputs(by_endpoint, f"database-{each}") for each in ("instance", "replica"))
    followed = replica["settings"]

    assert replica["instanceType"] == "READ_REPLICA_INSTANCE"
    assert replica["masterInstanceName"] == primary["name"]
    assert primary["encryptionKeyName"] == replica["encryptionKeyName"] == KEY
    assert followed["ipConfiguration"] == primary["settings"]["ipConfiguration"]
    assert followed["ipConfiguration"]["sslMode"] == "ENCRYPTED_ONLY"
    assert followed["ipConfiguration"]["ipv4Enabled"] is False
    assert replica["deletionProtection"] is followed["deletionProtectionEnabled"] is False
    assert "protect" not in by_endpoint["database-replica"]
    assert by_endpoint["database-instance"]["protect"] is True
    assert followed["retainBackupsOnDelete"] is False
    assert "backupConfiguration" not in followed
    assert "settings.diskSize" in by_endpoint["database-replica"]["ignoreChanges"]
    assert GRANT in _waits_for(by_endpoint, "database-instance")


def test_an_upgrade_is_over_before_anything_connects(on_alloydb: Resources) -> None:
    """A new major version of the cluster ends with the upgrade; migrations and service come after it."""
    assert _inputs(on_alloydb, "database-cluster")["skipAwaitMajorVersionUpgrade"] is False
    assert "database-primary" in _waits_for(on_alloydb, "migrations-job")


def test_a_replica_may_be_larger_than_its_primary(by_endpoint: Resources, on_alloydb: Resources) -> None:
    """Its own machine and flags are its alone, and a read pool's, so that it can grow first."""
    primary, replica = (
        _inputs(by_endpoint, f"database-{each}")["settings"] for each in ("instance", "replica")
    )
    pools = [_inputs(on_alloydb, f"database-{each}")["databaseFlags"] for each in ("primary", "readers")]

    assert [each["tier"] for each in (primary, replica)] == ["db-custom-4-15360", "db-custom-8-30720"]
    assert [_flag(each["databaseFlags"], "max_connections") for each in (primary, replica)] == [None, "700"]
    assert [each["max_connections"] for each in pools] == ["1000", "2000"]


def _flag(flags: list[dict[str, str]], name: str) -> str | None:
    return next((each["value"] for each in flags if each["name"] == name), None)


def test_an_endpoint_is_the_project_s_alone(by_endpoint: Resources) -> None:
    """Only this project may connect to the attachment, from an internal address, and no network is peered."""
    addresses = _inputs(by_endpoint, "database-instance")["settings"]["ipConfiguration"]

    assert addresses["pscConfigs"] == [{"pscEnabled": True, "allowedConsumerProjects": ["event-store-prod"]}]
    assert "privateNetwork" not in addresses
    for name in ("database", "database-replica"):
        assert _inputs(by_endpoint, f"{name}-address")["addressType"] == "INTERNAL"
        assert _inputs(by_endpoint, f"{name}-endpoint")["allowPscGlobalAccess"] is False
        assert by_endpoint[f"{name}-endpoint"]["propertyDependencies"]["target"] == [
            by_endpoint["database-instance" if name == "database" else name]["urn"]
        ]
    assert not [each for each in by_endpoint.values() if each["type"].endswith(":GlobalAddress")]


def test_a_restored_log_leaves_every_kept_generation_as_it_is(restored: Resources) -> None:
    """The clone is a new instance beside them; today's settings do not change what they were made with."""
    names = ("database-instance", "database-2-instance", "database-3-instance")
    kept, newest = names[:2], names[2]

    assert [_inputs(restored, each)["name"] for each in names] == [
        "event-store-1", "event-store-2", "event-store-3",
    ]  # fmt: skip
    assert _inputs(restored, newest)["clone"] == {
        "sourceInstanceName": "event-store-2", "pointInTime": "2026-01-31T08:00:00Z",
    }  # fmt: skip
    for name in kept:
        assert "clone" not in _inputs(restored, name)
        assert {"databaseVersion", "encryptionKeyName", "clone"} <= {*restored[name]["ignoreChanges"]}
    assert "databaseVersion" not in restored[newest]["ignoreChanges"]
    assert all(restored[each]["protect"] for each in names)
    assert not [each for each in restored.values() if each["type"] == "gcp:sql/database:Database"]


def test_the_relay_s_pool_waits_for_schema_and_rights(on_alloydb: Resources) -> None:
    """It starts on a migrated database and with its grants; it holds no data."""
    waits_for = _waits_for(on_alloydb, "relay-pool")

    assert {"migrations-job", "relay-login-user"} <= waits_for
    assert any(each.startswith("relay-publisher-") for each in waits_for)
    assert _inputs(on_alloydb, "relay-pool")["deletionProtection"] is False
