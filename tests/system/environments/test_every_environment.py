"""Each environment lives through its whole life on the local Google Cloud, by the real engine."""

import re
from typing import Any

import pytest

from event_store.database.schema import required_revision
from event_store_infra.protection import HOLDS_DATA
from event_store_infra.settings.reference import page
from event_store_infra.settings.stack import NAMESPACE
from tests.event_store_infra.inventory.variants import DEPLOYER
from tests.system.environments.delivery import Bootstrapped
from tests.system.environments.environment import WORDS, DeployedEnvironment
from tests.system.environments.passwords import must_have_no_password

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
# Everything that may change while the environment stands.
CHANGES: dict[str, Any] = {
    "event-store:labels": {"team": "words"},
    "event-store:migration_attempt": 2,
    "event-store:image_readers": [f"serviceAccount:{DEPLOYER}"],
    "event-store:ordering": {"partitions": 128},
    "event-store:service": {
        "min_instances": 2,
        "max_instances": 3,
        "cpu": 2,
        "memory_mib": 2048,
        "concurrency": 100,
        "database_connections": 7,
        "log_level": "WARNING",
        "invokers": ["group:developers@example.com"],
    },
    "event-store:database": {
        "tier": "db-custom-2-7680",
        "availability": "REGIONAL",
        "retained_backups": 14,
        "log_retention_days": 2,
        "disk_limit_gb": 3000,
        "backup_start_time": "03:00",
        "maintenance_day": 2,
        "maintenance_hour": 4,
        "deny_maintenance_start": "2026-12-05",
        "deny_maintenance_end": "2027-01-05",
        "flags": {"work_mem": "8192"},
    },
    "event-store:monitoring": {
        "enabled": True,
        "emails": ["oncall@example.com"],
        "channels": ["projects/event-store-prod/notificationChannels/1"],
        "runbook_url": "https://example.com/runbook",
        "unacknowledged_minutes": 20,
        "relay_lag_seconds": 30,
        "append_milliseconds": 400,
    },
}
SECTIONS = {f"{NAMESPACE}{each}" for each in ("ordering", "service", "database", "monitoring")}
# And what may not, or changes elsewhere.
OTHERS = {
    "makes other resources, which the preview guard refuses": (
        *("prefix", "network.", "repository", "database.kms_key", "database.engine", "database.instance"),
        "database.private_service_connect",
    ),
    "says what a change may do": ("profile", "protected", "acknowledged", "database.backups"),
    "is changed by another test here": (
        *("database.generation", "database.kept_generations", "database.restore_from.", "rollout."),
        *("alloydb.", "service.relay", "service.relay_instances", "database.read_replica"),
        "database.trusted_ca",
    ),
    "is changed by tests/event_store_infra or tests/local_gcp": (
        *("topology", "image", "database.replica_tier", "database.replica_flags"),
        "database.earlier_kms_keys",
    ),
    "is the bootstrap's, which comes before": ("deployer",),
    "an instance grows into by itself": ("database.disk_size_gb",),
    "an upgrade, which the local Google Cloud has no second PostgreSQL for": ("database.version",),
    "goes with another: the tier's, the log's": ("database.edition", "database.point_in_time_recovery"),
}


def test_every_setting_is_changed_or_has_a_reason_not_to_be() -> None:
    """A new key is noticed here, so that its change in place is seen or its exception written down."""
    changed = {
        f"{key}.{name}" if name else key
        for key, values in CHANGES.items()
        for name in (values if key in SECTIONS else ("",))
    }
    others = tuple(f"{NAMESPACE}{each}" for names in OTHERS.values() for each in names)
    sections = tuple(each for each in others if each.endswith("."))
    known = set(re.findall(rf"^\| `({NAMESPACE}[a-z_.]+)`", page(), re.MULTILINE))

    assert {each for each in known - {*others} if not each.startswith(sections)} == changed
    assert len(known) > 50


@pytest.mark.parametrize("environment", ["local"], indirect=True)
async def test_a_person_s_environment_lives_its_whole_life(environment: DeployedEnvironment) -> None:
    """Up until events flow, no drift, every mutable setting changed in place, and down with nothing left."""
    await environment.must_up()
    await environment.must_carry_events()
    await environment.must_stay("preview")
    await environment.must_stay("refresh")
    await must_have_no_password(environment)
    made = {record.id for record in environment.cloud.records if record.type in HOLDS_DATA}

    environment.change(CHANGES)
    changed = await environment.must_up()
    await environment.must_carry_events()
    await environment.must_stay("preview")

    assert "replaced" not in changed
    assert made == {record.id for record in environment.cloud.records if record.type in HOLDS_DATA}

    await environment.must_leave_nothing()


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"], indirect=True)
async def test_an_environment_lives_its_whole_life_by_the_identities_of_ci(
    environment: DeployedEnvironment,
) -> None:
    """A person bootstraps it; from the first update to the last CI has the rights for all of it.

    Up until events flow, a preview and the nightly look for drift that find nothing, every mutable setting
    changed in place, and down with nothing left.
    """
    delivery = Bootstrapped(environment)
    await delivery.bootstrap()
    if environment.name != "dev":
        await delivery.let_images_be_read()
    async with delivery.workflow("deploy"):
        await environment.must_up()
    await environment.must_carry_events()
    async with delivery.workflow("preview"):
        await environment.must_stay("preview")
    async with delivery.workflow("drift"):
        await environment.must_not_drift()
    await must_have_no_password(environment)
    made = {record.id for record in environment.cloud.records if record.type in HOLDS_DATA}

    environment.change(CHANGES)
    async with delivery.workflow("deploy"):
        changed = await environment.must_up()
        await environment.must_carry_events()
        await environment.must_stay("preview")

        assert "replaced" not in changed
        assert made == {record.id for record in environment.cloud.records if record.type in HOLDS_DATA}

        if environment.is_protected:
            refused = await environment.run("destroy", "--yes")  # its preview refuses; nothing is gone yet
            assert refused.code != 0
            assert "protected" in refused.output
            await environment.must_carry_events()
        await environment.must_go()
    await delivery.end()
    assert list(environment.cloud.records) == []


@pytest.mark.parametrize("environment", ["staging"], indirect=True)
async def test_an_image_that_its_owner_lets_nobody_read_is_not_deployed(
    environment: DeployedEnvironment,
) -> None:
    """Google asks whoever deploys to read the image; once the owner lets it, the update goes on."""
    delivery = Bootstrapped(environment)
    await delivery.bootstrap()
    async with delivery.workflow("deploy"):
        refused = await environment.up()
        await delivery.let_images_be_read()
        await environment.must_up()
    await environment.must_carry_events()

    assert refused.code != 0
    assert "Permission 'artifactregistry.repositories.downloadArtifacts' denied" in refused.output
    assert "event-store-deployer@event-store-staging" in refused.output


@pytest.mark.parametrize("environment", ["dev"], indirect=True)
async def test_who_looks_changes_nothing_and_sees_the_image(environment: DeployedEnvironment) -> None:
    """The previewer's update is refused; without Docker's login drift takes the image for gone."""
    delivery = Bootstrapped(environment)
    await delivery.bootstrap()
    async with delivery.workflow("deploy"):
        await environment.must_up()
    async with delivery.workflow("drift", docker=False):
        blind = await environment.drift()
    async with delivery.workflow("drift"):
        await environment.must_not_drift()
        environment.change({"event-store:labels": {"team": "words"}})
        refused = await environment.up()

    assert blind.code != 0
    assert "registry-image" in blind.output
    assert refused.code != 0
    assert "Error 403: Permission" in refused.output
    assert "event-store-previewer@event-store-dev" in refused.output


@pytest.mark.parametrize("environment", ["dev"], indirect=True)
async def test_a_restored_generation_holds_the_whole_log_and_goes_on(
    environment: DeployedEnvironment,
) -> None:
    """A clone beside the kept instance has every event with its position and version, and takes more."""
    await environment.must_up()
    await environment.must_carry_events()
    before = await environment.read()
    (first,) = environment.cloud.records.of_type(INSTANCE)

    restore = {"instance": first.id, "time": "2026-01-31T08:00:00Z"}
    generations = {"generation": 2, "kept_generations": [1], "restore_from": restore}
    environment.change({"event-store:database": generations})
    await environment.must_up()
    await environment.must_stay("preview")
    await environment.instances.stop(first.id)  # so that nothing can come from it
    restored = await environment.read()
    await environment.must_carry_events()
    after = await environment.read()

    second = f"{first.id.removesuffix('1')}2"
    assert {each.id for each in environment.cloud.records.of_type(INSTANCE)} == {first.id, second}
    assert len(before) == len(WORDS)
    assert restored == before
    assert after[: len(before)] == before
    assert [each.global_position for each in after] == [*range(1, 2 * len(WORDS) + 1)]


# One is enough: the program is the same.
@pytest.mark.parametrize("environment", ["dev"], indirect=True)
async def test_a_worker_pool_relays(environment: DeployedEnvironment) -> None:
    """Events flow, flow on after its process was killed, and after the relay moved back into the service."""
    environment.change({"event-store:service": {"relay": "worker-pool"}})
    await environment.must_up()
    await environment.must_carry_events()
    await environment.must_stay("preview")

    await environment.kill(environment.worker_pools)
    await environment.must_carry_events()

    environment.change({"event-store:service": {"relay": "service"}})
    await environment.must_up()
    await environment.must_carry_events()
    assert environment.worker_pools.names == ()
    await environment.must_destroy()
    assert list(environment.cloud.records) == []


async def test_a_failed_migration_leaves_the_old_revision_serving(environment: DeployedEnvironment) -> None:
    """The update fails with the migration's own words, events flow on, and the next update goes through."""
    await environment.must_up()
    environment.execute("UPDATE alembic_version SET version_num = '9999'")
    environment.execute("COMMENT ON TABLE alembic_version IS 'works with releases from revision 9998 on'")
    environment.change({"event-store:migration_attempt": 2, "event-store:labels": {"release": "next"}})

    failed = await environment.up()
    await environment.must_carry_events()
    environment.execute(f"UPDATE alembic_version SET version_num = '{required_revision()}'")  # noqa: S608 # our own
    environment.change({"event-store:migration_attempt": 3})
    await environment.must_up()
    await environment.must_carry_events()

    assert failed.code != 0
    assert "newer than this release" in failed.output
    await environment.must_stay("preview")
