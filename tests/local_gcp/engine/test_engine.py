"""Pulumi's real engine takes the local Google Cloud for Google's."""

import re

from tests.local_gcp.conftest import PROGRAMS, Stack

BUS = """
from pulumi_gcp import projects, pubsub
never = pubsub.SubscriptionExpirationPolicyArgs(ttl="")
agent = projects.ServiceIdentity("agent", project="p-1", service="pubsub.googleapis.com")
topic = pubsub.Topic("topic", name="words", message_retention_duration="{retention}", labels={{"team": "a"}})
subscription = pubsub.Subscription("subscription", name="projection", topic=topic.id, filter={filter!r},
    ack_deadline_seconds=60, expiration_policy=never,
    opts=pulumi.ResourceOptions(delete_before_replace={delete_first}))
pubsub.TopicIAMMember("grant", topic=topic.name, role="roles/pubsub.publisher", member=agent.member)
"""
EVERYTHING = (
    BUS.format(retention="600s", filter=None, delete_first=True)
    + f"""
import pulumi_docker_build as docker_build
from pulumi_gcp import artifactregistry, cloudrunv2, compute, organizations, serviceaccount
from pulumi_gcp import servicenetworking, sql
service = projects.Service("api", service="sqladmin.googleapis.com")
network = compute.Network("network", auto_create_subnetworks=False)
subnetwork = compute.Subnetwork("subnetwork", network=network.id, ip_cidr_range="10.0.0.0/24")
address = compute.GlobalAddress("address", network=network.id, purpose="VPC_PEERING", address_type="INTERNAL",
    prefix_length=20)
peering = servicenetworking.Connection("peering", network=network.id, reserved_peering_ranges=[address.name],
    service="servicenetworking.googleapis.com")
account = serviceaccount.Account("account", account_id="runtime")
projects.IAMMember("member", project="p-1", role="roles/cloudsql.instanceUser", member=account.member)
instance = sql.DatabaseInstance("instance", database_version="POSTGRES_18", deletion_protection=False,
    settings={{"tier": "db-custom-1-3840", "edition": "ENTERPRISE", "database_flags": [
        {{"name": "work_mem", "value": "5000"}}]}})
database = sql.Database("database", instance=instance.name, name="words", deletion_policy="ABANDON")
user = sql.User("user", instance=instance.name, name="runtime@p-1.iam", type="CLOUD_IAM_SERVICE_ACCOUNT",
    database_roles=["cloudsqlsuperuser"], deletion_policy="ABANDON",
    opts=pulumi.ResourceOptions(depends_on=[database]))
repository = artifactregistry.Repository("repository", repository_id="images", format="DOCKER")
image = docker_build.Image("image", push=True, tags=["r/i:latest"], context={{"location": "{PROGRAMS}"}},
    dockerfile={{"location": "{PROGRAMS}/Dockerfile"}})
variables = [{{"name": "PGHOST", "value": instance.private_ip_address}},
    {{"name": "PGUSER", "value": user.name}}, {{"name": "PGDATABASE", "value": database.name}}]
job = cloudrunv2.Job("job", location="europe-west1", deletion_protection=False, run_execution_token="1",
    template={{"template": {{"service_account": account.email, "containers": [{{"image": image.ref,
        "commands": ["python"], "args": ["{PROGRAMS}/migrate.py"], "envs": variables}}]}}}})
server = cloudrunv2.Service("server", location="europe-west1", deletion_protection=False,
    template={{"containers": [{{"image": image.ref, "commands": ["python"], "args": ["{PROGRAMS}/greeter.py"],
        "envs": [{{"name": "VERSION", "value": "1"}}], "startup_probe": {{"grpc": {{"port": 8080}}}}}}]}})
cloudrunv2.ServiceIamMember("invoker", location="europe-west1", name=server.name, role="roles/run.invoker",
    member=account.member)
pulumi.export("number", organizations.get_project_output().number)
pulumi.export("agent", agent.email)
"""
)


async def test_everything_comes_up_once_and_stays_as_it_is(stack: Stack) -> None:
    """After an update neither another one nor a refresh finds a change, and a destroy leaves nothing."""
    stack.write(EVERYTHING)

    output = await stack.must_up()
    preview = await stack.run("preview", "--expect-no-changes")
    refresh = await stack.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")

    number = re.search(r'number: "(\d{12})"', output)
    assert number is not None
    assert f"service-{number[1]}@gcp-sa-pubsub.iam.gserviceaccount.com" in output
    assert preview.code == 0, preview.output
    assert refresh.code == 0, refresh.output
    await stack.must_destroy()
    assert list(stack.cloud.records) == []


async def test_an_unknown_resource_type_is_refused_with_where_to_add_it(stack: Stack) -> None:
    """Nothing is silently accepted."""
    stack.write('from pulumi_gcp import redis\nredis.Instance("cache", memory_size_gb=1)\n')

    answer = await stack.run("preview")

    assert answer.code != 0
    assert "has no resource type gcp:redis/instance:Instance" in answer.output
    assert "local_gcp/recorded/recorded.py" in answer.output


async def test_a_wrong_value_stops_the_update_before_it_begins(stack: Stack) -> None:
    """The engine prints the property, its value and its range."""
    stack.write(
        'from pulumi_gcp import pubsub\npubsub.Topic("t", name="t-1", message_retention_duration="9s")\n'
    )

    answer = await stack.up()

    assert answer.code != 0
    assert (
        "property messageRetentionDuration value {9s} has a problem: must be 600s to 2678400s"
        in answer.output
    )
    assert list(stack.cloud.records) == []


async def test_mutable_fields_update_and_immutable_ones_replace(stack: Stack) -> None:
    """A topic's retention changes in place, a subscription's filter makes a new one, as at Google."""
    stack.write(BUS.format(retention="600s", filter=None, delete_first=True))
    await stack.must_up()

    stack.write(BUS.format(retention="900s", filter='attributes.kind = "a"', delete_first=True))
    preview = await stack.run("preview", "--diff")
    await stack.must_up()

    assert re.search(r"~ gcp:pubsub/topic:Topic: \(update\)", preview.output), preview.output
    assert re.search(r"-\+? ?gcp:pubsub/subscription:Subscription: \(\w*-?replace", preview.output)
    (record,) = stack.cloud.records.of_type("gcp:pubsub/subscription:Subscription")
    assert record.inputs["filter"] == 'attributes.kind = "a"'


async def test_a_fixed_name_cannot_be_replaced_while_it_is_taken(stack: Stack) -> None:
    """Without `delete_before_replace` a replacement of a fixed name meets Google's conflict."""
    stack.write(BUS.format(retention="600s", filter=None, delete_first=None))
    await stack.must_up()

    stack.write(BUS.format(retention="600s", filter='attributes.kind = "a"', delete_first=None))
    answer = await stack.up()

    assert answer.code != 0
    assert "Error 409: projects/p-1/subscriptions/projection already exists" in answer.output


async def test_a_protected_resource_is_not_deleted(stack: Stack) -> None:
    """Google's own protection holds, whatever Pulumi is told."""
    program = """
from pulumi_gcp import cloudrunv2
cloudrunv2.Job("job", location="europe-west1", deletion_protection={protection},
    template={{"template": {{"containers": [{{"image": "i"}}]}}}})
"""
    stack.write(program.format(protection=None))
    await stack.must_up()
    refused = await stack.run("destroy", "--yes", "--skip-preview")
    stack.write(program.format(protection=False))
    await stack.must_up()
    await stack.must_destroy()

    assert refused.code != 0
    assert "protected from deletion" in refused.output


async def test_a_role_that_no_migration_made_is_refused(stack: Stack) -> None:
    """A database role must exist before a user is made a member of it, as Cloud SQL has it."""
    stack.write("""
from pulumi_gcp import sql
instance = sql.DatabaseInstance("instance", database_version="POSTGRES_18", deletion_protection=False,
    settings={"tier": "db-custom-1-3840", "edition": "ENTERPRISE"})
sql.User("user", instance=instance.name, name="a@p-1.iam", type="CLOUD_IAM_SERVICE_ACCOUNT",
    database_roles=["nobody_made_this"])
""")

    answer = await stack.up()

    assert answer.code != 0
    assert 'database role "nobody_made_this" does not exist' in answer.output
