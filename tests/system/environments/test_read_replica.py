"""A read replica holds the whole log, follows it, and takes no writes."""

import asyncio

import psycopg
import pytest

from event_store.environment import DATABASE_CA, REPLICA_CA, REPLICA_HOST
from local_gcp.cloudrun import run_rules as run
from local_gcp.postgres import sql_rules as sql
from tests.system.environments.environment import PATIENCE_SECONDS, WORDS, DeployedEnvironment

POSITIONS = "SELECT array_agg(global_position ORDER BY global_position) FROM events"
SESSIONS = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'event-store'"
NEXT_CA = "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----"
_LOOK_SECONDS = 0.05  # a standby tells nobody what it has replayed


async def _until_followed(conninfo: str, positions: list[int]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with await psycopg.AsyncConnection.connect(conninfo) as connection:
                row = await (await connection.execute(POSITIONS)).fetchone()
            if row == (positions,):
                return
            await asyncio.sleep(_LOOK_SECONDS)


def _told(environment: DeployedEnvironment) -> dict[str, str]:
    """Return the environment of the service's container."""
    (service,) = environment.cloud.records.of_type(run.SERVICE.type)
    return {each["name"]: each["value"] for each in service.inputs["template"]["containers"][0]["envs"]}


@pytest.mark.parametrize("environment", ["prod"], indirect=True)
async def test_a_read_replica_follows_the_log(environment: DeployedEnvironment) -> None:
    """It is there by one setting, has what was and what comes, and goes by one in a protected stack."""
    await environment.must_up()
    await environment.must_carry_events()
    environment.change({"event-store:database": {"read_replica": True}})
    await environment.must_up()
    await environment.must_stay("preview")
    await environment.must_stay("refresh")
    primary, replica = environment.cloud.records.of_type(sql.INSTANCE.type)
    conninfo = environment.instances.conninfo(replica.id, None, "event_store")
    told = _told(environment)
    await _until_followed(conninfo, [1, 2])
    await environment.must_carry_events()
    await _until_followed(conninfo, [*range(1, 2 * len(WORDS) + 1)])
    with psycopg.connect(conninfo) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("DELETE FROM log_head")
    readers = await environment.run("stack", "output", "readers")

    environment.change(
        {"event-store:database": {"read_replica": True, "flags": {"work_mem": "8192"}, "trusted_ca": NEXT_CA}}
    )
    await environment.must_up()  # both start anew, and a revision that trusts their next authority, too
    await environment.must_carry_events()
    await _until_followed(
        environment.instances.conninfo(replica.id, None, "event_store"), [*range(1, 3 * len(WORDS) + 1)]
    )

    # Each is checked against the authority of its own, and found at its own address.
    for instance, host, ca in ((primary, "PGHOST", DATABASE_CA), (replica, REPLICA_HOST, REPLICA_CA)):
        assert told[host] == instance.outputs["privateIpAddress"]
        assert told[ca] == instance.outputs["serverCaCerts"][0]["cert"]
        assert _told(environment)[ca] == f"{told[ca].rstrip()}\n{NEXT_CA}"
    assert told[DATABASE_CA] != told[REPLICA_CA]
    assert (primary.id, replica.id) == ("event-store-1", "event-store-1-replica")
    assert readers.output.strip() == replica.outputs["privateIpAddress"]
    refused = await environment.run("destroy", "--yes")
    environment.change({"event-store:database": {}})
    await environment.must_up()
    await environment.must_carry_events()
    assert refused.code != 0
    assert [each.id for each in environment.cloud.records.of_type(sql.INSTANCE.type)] == [primary.id]
    await environment.must_leave_nothing()


@pytest.mark.parametrize("environment", ["dev"], indirect=True)
async def test_the_service_reads_the_older_part_of_the_log_from_it(environment: DeployedEnvironment) -> None:
    """An answer is whole while the replica stands still, and while it is away, and in every part of it."""
    environment.change({"event-store:database": {"read_replica": True}})
    await environment.must_up()
    await environment.must_carry_events()
    _, replica = environment.cloud.records.of_type(sql.INSTANCE.type)
    conninfo = environment.instances.conninfo(replica.id, None, "event_store")
    await _until_followed(conninfo, [1, 2])

    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SELECT pg_wal_replay_pause()")
        await environment.must_carry_events()
        behind = connection.execute(POSITIONS).fetchone()
        parts = [
            [each.global_position for each in await environment.read(*part)]
            for part in ((0,), (0, 1), (0, 3), (2,), (4,), (9,))
        ]
        sessions = connection.execute(SESSIONS).fetchall()
    await environment.instances.stop(replica.id)
    without = await environment.read()

    assert behind == ([1, 2],)
    assert parts == [[1, 2, 3, 4], [1], [1, 2, 3], [2, 3, 4], [4], []]
    assert [each[0] for each in sessions] == ["event-store-runtime@event-store-dev.iam"]
    assert [each.global_position for each in without] == [1, 2, 3, 4]
    await environment.must_leave_nothing()
