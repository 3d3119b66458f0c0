"""A team that has a Cloud SQL instance already gets the log's database in it, and keeps the rest as it is."""

from tests.local_gcp.conftest import Stack

INSTANCE = """
from pulumi_gcp import sql
instance = sql.DatabaseInstance("instance", name="theirs", database_version="POSTGRES_18",
    deletion_protection=False, settings={"tier": "db-custom-1-3840", "edition": "ENTERPRISE"})
"""
JOINED = """
from event_store_infra.components.database.joined_database import JoinedDatabase, JoinedDatabaseArgs
joined = JoinedDatabase("joined", JoinedDatabaseArgs(project="p-1", instance="theirs"))
pulumi.export("host", joined.connection.host)
pulumi.export("server_ca", joined.connection.server_ca)
pulumi.export("name", joined.instance_connection_name)
"""


async def test_the_database_is_made_in_the_instance_that_is_there(stack: Stack) -> None:
    """Address and CA are those of the instance, and nothing of the instance changes."""
    stack.write(INSTANCE)
    await stack.must_up()
    (before,) = stack.cloud.records.of_type("gcp:sql/databaseInstance:DatabaseInstance")

    stack.write(INSTANCE + JOINED)
    output = await stack.must_up()

    (after,) = stack.cloud.records.of_type("gcp:sql/databaseInstance:DatabaseInstance")
    (database,) = stack.cloud.records.of_type("gcp:sql/database:Database")
    assert (after.inputs, after.outputs) == (before.inputs, before.outputs)
    assert (database.inputs["instance"], database.inputs["name"]) == ("theirs", "event_store")
    assert before.outputs["privateIpAddress"] in output
    assert "BEGIN CERTIFICATE" in output
    assert "p-1:europe-west1:theirs" in output
    preview = await stack.run("preview", "--expect-no-changes")
    assert preview.code == 0, preview.output
    await stack.must_destroy()


async def test_an_instance_that_is_not_there_is_told_before_anything_is_made(stack: Stack) -> None:
    """The preview fails with the instance's name."""
    stack.write(JOINED)

    answer = await stack.run("preview")

    assert answer.code != 0
    assert "the Cloud SQL instance 'theirs' is not there" in answer.output
