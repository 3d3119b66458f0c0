"""A stack on AlloyDB is like one on Cloud SQL: the service and the schema are the same."""

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

import local_gcp.postgres
from tests.local_gcp.conftest import Stack, local_cloud, running_cloud, stack
from tests.system.environments.environment import DeployedEnvironment
from tests.system.environments.passwords import must_have_no_password
from tools import ROOT

__all__ = ["local_cloud", "stack"]  # fixtures

SERVER_CA = (Path(local_gcp.postgres.__file__).parent / "server_ca.pem").read_text()

CLUSTER = """
from pulumi_gcp import alloydb
cluster = alloydb.Cluster("cluster", cluster_id="other", location="europe-west1",
    network_config={"network": "projects/p-1/global/networks/store"}, deletion_protection=False)
"""
LOGIN = """
alloydb.User("user", cluster=cluster.name, user_id="words@p-1.iam", user_type="ALLOYDB_IAM_USER",
    database_roles=["alloydbiamuser"])
"""
WHOLE = f"""
from event_store_infra.components.delivery.account import account
from event_store_infra.components.database.alloydb import AlloyDB, AlloyDBArgs
from event_store_infra.components.database.login import DatabaseLogin, DatabaseLoginArgs
from event_store_infra.settings import AlloyDBSettings, DatabaseSettings
database = AlloyDB("database", AlloyDBArgs(project="p-1", region="europe-west1", name="store",
    network_id="projects/p-1/global/networks/store", settings=DatabaseSettings(engine="alloydb"),
    alloydb=AlloyDBSettings(server_ca={SERVER_CA!r}), protected=False, labels={{}}))
DatabaseLogin("login", DatabaseLoginArgs(project="p-1", connection=database.connection,
    account=account("account", project="p-1", account_id="words-reader", about="words", is_delivered=False,
        opts=pulumi.ResourceOptions()),
    database_roles=[]))
"""


async def test_a_user_is_made_in_the_primary(stack: Stack) -> None:
    """The local Google Cloud refuses one without, and one update makes all where the CA is known before."""
    stack.write(CLUSTER + LOGIN)
    refused = await stack.up()
    stack.write(WHOLE)
    made = await stack.must_up()

    assert refused.code != 0
    assert "clusters/other has no primary instance, in which users are made" in refused.output
    assert "alloydb:User login-user created" in made
    await stack.must_destroy()


@pytest.fixture
async def prod(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DeployedEnvironment]:
    """The environment that would outgrow Cloud SQL."""
    folder = tmp_path_factory.mktemp("environment")
    async with running_cloud(folder / "cloud", ROOT / "infra") as cloud:
        yield DeployedEnvironment(folder / "project", "prod", cloud)


def _types(environment: DeployedEnvironment) -> set[str]:
    return {record.type for record in environment.cloud.records}


async def test_a_stack_on_alloydb_carries_events(prod: DeployedEnvironment) -> None:
    """One update makes the cluster, the next what connects to it; it changes in place, without a password."""
    prod.change(
        {"event-store:database": {"engine": "alloydb"}, "event-store:alloydb": {"cpus": 4, "read_nodes": 2}}
    )
    first = await prod.must_up()
    begun = _types(prod)
    prod.change({"event-store:alloydb": {"cpus": 4, "read_nodes": 2, "server_ca": SERVER_CA}})
    await prod.must_up()

    assert "event-store:alloydb.server_ca is not set" in first
    assert "gcp:alloydb/instance:Instance" in begun
    assert not [each for each in begun if "cloudrun" in each or each.endswith(":User")]
    assert not [each for each in _types(prod) if each.startswith("gcp:sql/")]
    await prod.must_carry_events()
    await prod.must_stay("preview")
    await prod.must_stay("refresh")
    await must_have_no_password(prod)
    readers = await prod.run("stack", "output", "readers")
    assert readers.output.startswith("10."), readers.output
    with psycopg.connect(prod.endpoints["postgres"]) as connection:
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        runtime = connection.execute(
            "SELECT rolname, pg_has_role(rolname, 'alloydbsuperuser', 'MEMBER') FROM pg_roles"
            " WHERE pg_has_role(rolname, 'event_store_runtime', 'MEMBER') AND rolcanlogin AND NOT rolsuper"
        ).fetchall()
    assert owner == ("alloydbsuperuser",)
    assert ("event-store-runtime@event-store-prod.iam", False) in runtime

    prod.change(
        {
            "event-store:alloydb": {"cpus": 8, "read_nodes": 3, "server_ca": SERVER_CA},
            "event-store:labels": {"team": "words"},
            "event-store:database": {
                "engine": "alloydb",
                "flags": {"work_mem": "8192"},
                "retained_backups": 9,
            },
        }
    )
    changed = await prod.must_up()
    await prod.must_carry_events()
    await prod.must_stay("preview")
    assert "replaced" not in changed

    refused = await prod.run("destroy", "--yes")
    assert refused.code != 0
    await prod.must_leave_nothing()
