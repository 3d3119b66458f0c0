"""What Google refuses although nothing is lost is refused before, with the updates that lead there."""

import asyncio

import psycopg
import pytest

from event_store.errors import ConfigurationError
from event_store_infra.preview.judging.guard import Verdict, judge
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.summary import render
from event_store_infra.preview.review import review
from tests.local_gcp.conftest import LocalCloud, Stack

PATIENCE_SECONDS = 60
LARGE = "db-custom-2-7680"
PRIMARY = """
from pulumi_gcp import sql
def settings(tier="db-custom-1-3840", **flags):
    return sql.DatabaseInstanceSettingsArgs(tier=tier, edition="ENTERPRISE", database_flags=[
        {{"name": name, "value": value}} for name, value in flags.items()])
primary = sql.DatabaseInstance("primary", name="store", database_version="{version}",
    deletion_protection=False, settings=settings({primary}))
"""
REPLICA = """
sql.DatabaseInstance("replica", name="store-replica", database_version="{version}",
    instance_type="READ_REPLICA_INSTANCE", master_instance_name=primary.name,
    deletion_protection=False, settings=settings({replica}))
"""
CLUSTER = """
from pulumi_gcp import alloydb
cluster = alloydb.Cluster("cluster", cluster_id="store", location="europe-west1",
    database_version="{version}", deletion_protection=False,
    network_config={{"network": "projects/p-1/global/networks/{network}"}})
primary = alloydb.Instance("primary", cluster=cluster.name, instance_id="primary", instance_type="PRIMARY",
    database_flags={{"max_connections": "{primary}"}})
alloydb.Instance("pool", cluster=cluster.name, instance_id="pool", instance_type="READ_POOL",
    read_pool_config={{"node_count": 1}}, database_flags={{"max_connections": "{pool}"}},
    opts=pulumi.ResourceOptions(depends_on=[primary]))
"""
SUBNETWORK = """
from pulumi_gcp import cloudrunv2, compute
network = compute.Network("network", name="net", auto_create_subnetworks=False)
subnetwork = compute.Subnetwork("subnetwork", name="net", network=network.id, ip_cidr_range="{cidr}",
    region="europe-west1")
cloudrunv2.Job("job", location="europe-west1", deletion_protection=False, template={{"template": {{
    "containers": [{{"image": "i"}}],
    "vpc_access": {{"network_interfaces": [{{"network": network.id, "subnetwork": subnetwork.id}}]}}}}}})
"""


def _pair(primary: str = "", replica: str = "", version: str = "POSTGRES_17") -> str:
    return (PRIMARY + REPLICA).format(primary=primary, replica=replica, version=version)


async def _judged(stack: Stack, program: str) -> tuple[Verdict, str]:
    """Return the verdict on a change, and the summary."""
    stack.write(program)
    plan = Plan.parse((await stack.run("preview", "--json")).output)
    verdict = judge(plan)
    return verdict, render("prod", plan, verdict)


async def _refused(stack: Stack) -> str:
    answer = await stack.up()
    assert answer.code != 0
    return answer.output


def _asked(cloud: LocalCloud, question: str) -> list[str]:
    """Return what primary and replica answer."""
    found = []
    for instance in ("store", "store-replica"):
        with psycopg.connect(cloud.assembly.instances.conninfo(instance, None, "postgres")) as connection:
            found += [str(value) for (value,) in connection.execute(question.encode()).fetchall()]
    return found


async def _until_replayed(cloud: LocalCloud) -> None:
    """Wait until the replica has replayed what the primary has written by now."""
    position = (
        "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            written, replayed = _asked(cloud, position)
            if written == replayed:
                return
            await asyncio.sleep(0.05)  # a standby tells nobody what it has replayed


async def test_what_follows_grows_first_and_shrinks_last(stack: Stack, local_cloud: LocalCloud) -> None:
    """More connections at once are refused, by Google, too; in two updates they arrive, and go again."""
    asked = "SELECT setting FROM pg_settings WHERE name = 'max_connections'"
    stack.write(_pair())
    await stack.must_up()
    more = 'max_connections="150"'
    verdict, summary = await _judged(stack, _pair(more, more))
    refused = await _refused(stack)
    grown = []
    for program in (_pair("", more), _pair(more, more)):
        assert (await _judged(stack, program))[0].passes
        await stack.must_up()
        grown.append(_asked(local_cloud, asked))
    await _until_replayed(local_cloud)
    for program in (_pair("", more), _pair()):
        stack.write(program)
        await stack.must_up()
        await _until_replayed(local_cloud)

    assert not verdict.passes
    assert not verdict.refused
    assert "refused, Google would not make 1 of its changes" in summary
    assert "`replica` follows it, and has less as yet: max_connections." in summary
    assert "set `event-store:database.replica_flags.max_connections` to the new one, and update" in summary
    assert "max_connections of a replica must not be lower than the primary's, which is 150" in refused
    assert grown == [["100", "150"], ["150", "150"]]
    assert _asked(local_cloud, asked) == ["100", "100"]


async def test_a_larger_machine_reaches_the_replica_first(stack: Stack) -> None:
    """A primary is never larger than its replica; a smaller one of both passes at once."""
    stack.write(_pair())
    await stack.must_up()
    verdict, summary = await _judged(stack, _pair(f'"{LARGE}"', f'"{LARGE}"'))
    refused = await _refused(stack)
    for program in (_pair("", f'"{LARGE}"'), _pair(f'"{LARGE}"', f'"{LARGE}"')):
        stack.write(program)
        await stack.must_up()
    smaller, _ = await _judged(stack, _pair())
    await stack.must_up()

    assert not verdict.passes
    assert smaller.passes
    assert "set `event-store:database.replica_tier` to the new one, and update" in summary
    assert "master instance can not be larger than replica" in refused


async def test_a_major_version_goes_up_and_without_a_replica(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """A replica is taken off first, and no version goes down again; the command of CI says so, too."""
    older, newer = (PRIMARY.format(version=f"POSTGRES_{each}", primary="") for each in (17, 18))
    stack.write(_pair())
    await stack.must_up()
    with_replica, summary = await _judged(stack, _pair(version="POSTGRES_18"))
    refused = await _refused(stack)
    stack.write(older)
    await stack.must_up()
    alone, _ = await _judged(stack, newer)
    await stack.must_up()
    stack.write(older)
    plan = (await stack.run("preview", "--json")).output
    with pytest.raises(ConfigurationError, match="refuses prod: Google would not change primary so"):
        review("prod", plan)
    refused_too = await _refused(stack)

    assert not with_replica.passes
    assert "a read replica of another major version or edition cannot follow it" in summary
    assert "replica of another major version cannot follow" in refused
    assert alone.passes
    assert "a database never goes back to an earlier major version" in capsys.readouterr().out
    assert "cannot go from POSTGRES_18 back to POSTGRES_17" in refused_too


async def test_a_cluster_of_alloydb_has_the_same_limits(stack: Stack) -> None:
    """Its read pool needs the connections first; network and version stay."""
    as_is = {"version": "POSTGRES_17", "network": "a", "primary": "1000", "pool": "1000"}
    stack.write(CLUSTER.format(**as_is))
    await stack.must_up()
    said = {}
    for change, reason in (
        ({"primary": "2000", "pool": "2000"}, "replica_flags.max_connections"),
        ({"network": "b"}, "a cluster stays in the network that it was made in"),
        ({"version": "POSTGRES_16"}, "never goes back"),
    ):
        verdict, summary = await _judged(stack, CLUSTER.format(**{**as_is, **change}))
        said[reason] = (verdict.passes, reason in summary, await _refused(stack))
    for pool, primary in (("2000", "1000"), ("2000", "2000")):
        stack.write(CLUSTER.format(**{**as_is, "pool": pool, "primary": primary}))
        await stack.must_up()

    assert [each[:2] for each in said.values()] == [(False, True)] * 3
    (connections, network, version) = (each[2] for each in said.values())
    assert "max_connections of a replica must not be lower than the primary's, which is 2000" in connections
    assert "updating field network_config.network is not supported" in network
    assert "cannot go from POSTGRES_17 back to POSTGRES_16" in version


async def test_a_subnetwork_only_ever_grows(stack: Stack) -> None:
    """A range that holds the one before passes; another one is refused, by Google with its users."""
    stack.write(SUBNETWORK.format(cidr="10.8.0.0/24"))
    await stack.must_up()
    grown, _ = await _judged(stack, SUBNETWORK.format(cidr="10.8.0.0/23"))
    await stack.must_up()
    moved, summary = await _judged(stack, SUBNETWORK.format(cidr="10.9.0.0/23"))
    refused = await _refused(stack)

    assert grown.passes
    assert [(each.step.name, each.deed) for each in moved.refused] == [("subnetwork", "replace")]
    assert "instead: a subnetwork only ever grows" in summary
    assert "already being used by" in refused
    stack.write(SUBNETWORK.format(cidr="10.8.0.0/23"))
    await stack.must_up()
    await stack.must_destroy()


async def test_an_instance_keeps_its_endpoints(stack: Stack) -> None:
    """Whoever changes the way to an instance needs another one."""
    program = PRIMARY.format(version="POSTGRES_17", primary="").replace(
        "return sql.DatabaseInstanceSettingsArgs(", "return sql.DatabaseInstanceSettingsArgs({addresses},"
    )
    way = "ip_configuration={{'ipv4_enabled': False, {} }}".format
    by_endpoint = way("'psc_configs': [{'psc_enabled': True, 'allowed_consumer_projects': ['p-1']}]")
    stack.write(program.replace("{addresses}", by_endpoint))
    await stack.must_up()
    peered = program.replace("{addresses}", way("'private_network': 'projects/p-1/global/networks/n'"))
    verdict, summary = await _judged(stack, peered)

    assert not verdict.passes
    assert "how an instance is reached is decided when it is made" in summary
    assert "Private Service Connect cannot be disabled" in await _refused(stack)
