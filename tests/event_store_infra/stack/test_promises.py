"""What the infrastructure promises, seen in the plan of every stack."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from event_store.environment import DATABASE_WAIT_SECONDS, STREAM_SECONDS
from event_store_infra.protection import HOLDS_DATA
from tests.event_store_infra.engine import Preview

Plan = Mapping[str, Mapping[str, Any]]
NEVER = {"ttl": ""}


def _of_type(plan: Plan, kind: str) -> dict[str, Mapping[str, Any]]:
    return {name: state for name, state in plan.items() if state["type"].endswith(f":{kind}")}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every path and value in nested inputs."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}[{index}]")
    else:
        yield path, value


def _inputs(plan: Plan) -> list[tuple[str, Any]]:
    return [leaf for name, state in plan.items() for leaf in leaves(state["inputs"], name)]


def test_nothing_has_a_public_address(plan: Plan) -> None:
    """The database and the service can be reached from inside the network only."""
    (database,) = _of_type(plan, "DatabaseInstance").values()
    addresses = database["inputs"]["settings"]["ipConfiguration"]
    (service,) = (each for each in plan.values() if each["type"] == "gcp:cloudrunv2/service:Service")

    assert addresses["ipv4Enabled"] is False
    assert addresses["sslMode"] == "ENCRYPTED_ONLY"
    assert "authorizedNetworks" not in addresses
    assert service["inputs"]["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    assert service["inputs"]["invokerIamDisabled"] is False
    assert all(
        each["inputs"]["addressType"] == "INTERNAL" for each in _of_type(plan, "GlobalAddress").values()
    )


def test_nobody_is_everybody(plan: Plan) -> None:
    """No grant goes to the public, no role is a basic one, and no grant takes another's away."""
    assert not [leaf for leaf in _inputs(plan) if leaf[1] in {"allUsers", "allAuthenticatedUsers"}]
    assert not [leaf for leaf in _inputs(plan) if leaf[1] in {"roles/owner", "roles/editor", "roles/viewer"}]
    assert not [
        each["type"] for each in plan.values() if re.search("I[Aa][Mm](Binding|Policy)$", each["type"])
    ]


def test_no_password_exists(plan: Plan) -> None:
    """Nobody logs in with a password, so none can leak from state, configuration or environment."""
    password = re.compile("passw|secret|token", re.IGNORECASE)
    named = {path for path, _ in _inputs(plan) if password.search(path.split(".", 1)[-1])}
    variables = {value for path, value in _inputs(plan) if path.endswith(".name") and ".envs[" in path}

    assert named == {"migrations-job.runExecutionToken"}
    assert not [name for name in variables if password.search(name)]
    assert {each["inputs"]["type"] for each in _of_type(plan, "User").values()} == {
        "CLOUD_IAM_SERVICE_ACCOUNT"
    }


def test_no_subscription_ever_expires(plan: Plan) -> None:
    """A subscription that nobody reads for a month is still there, with its messages."""
    assert all(
        each["inputs"]["expirationPolicy"] == NEVER for each in _of_type(plan, "Subscription").values()
    )


def test_every_subscription_has_dead_letters_that_are_kept(plan: Plan) -> None:
    """Each has a dead-letter topic, which has a pull subscription, and both grants to Pub/Sub's own agent."""
    topics = {each["inputs"]["name"] for each in _of_type(plan, "Topic").values()}
    subscriptions = {
        each["inputs"]["name"]: each["inputs"] for each in _of_type(plan, "Subscription").values()
    }
    sources = {name for name in subscriptions if not name.endswith("-dead-letter")}
    publishers = _grants(plan, "TopicIAMMember", "roles/pubsub.publisher", "topic")
    subscribers = _grants(plan, "SubscriptionIAMMember", "roles/pubsub.subscriber", "subscription")

    assert sources
    for name in sources:
        assert 5 <= subscriptions[name]["deadLetterPolicy"]["maxDeliveryAttempts"] <= 100
        assert f"{name}-dead-letter" in topics
        assert f"{name}-dead-letter" in subscriptions
        assert f"{name}-dead-letter" in publishers
        assert name in subscribers


def _grants(plan: Plan, kind: str, role: str, on: str) -> set[str]:
    """Return what the Pub/Sub service agent holds the role on."""
    return {
        each["inputs"][on]
        for each in _of_type(plan, kind).values()
        if each["inputs"]["role"] == role
        and [urn.split("::")[-1] for urn in each["propertyDependencies"]["member"]] == ["bus-agent"]
    }


def test_the_service_starts_on_a_migrated_database_or_not_at_all(plan: Plan) -> None:
    """The service and its login wait for the job, which runs on every change and is never repeated."""
    (job,) = _of_type(plan, "Job").values()
    waits_for = {
        name: {urn.split("::")[-1] for urn in plan[name]["dependencies"]}
        for name in ("event-store-service", "event-store-login-user")
    }

    assert "runExecutionToken" in job["inputs"]
    assert job["inputs"]["template"]["template"]["maxRetries"] == 0
    assert job["inputs"]["deletionProtection"] is False
    assert all("migrations-job" in names for names in waits_for.values())


def test_the_service_starts_with_all_its_rights(plan: Plan) -> None:
    """No revision starts before its identity can log in and publish to every topic of the topology."""
    waits_for = {urn.split("::")[-1] for urn in plan["event-store-service"]["dependencies"]}
    topics = [
        name for name, each in _of_type(plan, "Topic").items() if "messageRetentionDuration" in each["inputs"]
    ]

    assert len(topics) == 3
    assert {name.replace("bus-", "event-store-publisher-") for name in topics} <= waits_for
    assert "event-store-login-cloudsql.instanceUser" in waits_for
    assert "event-store-login-user" in waits_for


def test_the_runtime_has_no_right_to_change_the_schema(plan: Plan) -> None:
    """Migrator and runtime are two identities, and only the migrator is a member of the owner's role."""
    roles = {name: each["inputs"]["databaseRoles"] for name, each in _of_type(plan, "User").items()}

    assert roles == {
        "migrations-login-user": ["cloudsqlsuperuser"],
        "event-store-login-user": ["event_store_runtime"],
    }


def test_containers_run_the_command_by_its_name(plan: Plan) -> None:
    """Both containers run the one image's `event-store`, so the image's own defaults do not matter."""
    (job,) = _of_type(plan, "Job").values()
    service = plan["event-store-service"]["inputs"]["template"]["containers"][0]
    migrate = job["inputs"]["template"]["template"]["containers"][0]

    assert (migrate["commands"], migrate["args"]) == (["event-store"], ["migrate"])
    assert (service["commands"], service["args"]) == (["event-store"], ["serve"])
    assert service["ports"] == {"name": "h2c", "containerPort": 8080}
    assert all("grpc" in service[probe] for probe in ("startupProbe", "readinessProbe", "livenessProbe"))


def test_a_start_waits_for_its_database_within_what_cloud_run_gives_it(plan: Plan) -> None:
    """The service gives up before its startup probe does, and the job has most of its time to migrate."""
    (job,) = _of_type(plan, "Job").values()
    service = plan["event-store-service"]["inputs"]["template"]["containers"][0]
    task = job["inputs"]["template"]["template"]
    probe = service["startupProbe"]
    probe_seconds = probe["failureThreshold"] * probe["periodSeconds"]

    assert 120 <= _variable(service, DATABASE_WAIT_SECONDS) <= probe_seconds - 20
    assert 420 <= _variable(task["containers"][0], DATABASE_WAIT_SECONDS) <= int(task["timeout"][:-1]) - 600


def test_streams_end_before_cloud_run_cuts_them_off(plan: Plan) -> None:
    """The service ends a stream minutes before the request timeout, so that no client sees a 504."""
    template = plan["event-store-service"]["inputs"]["template"]

    assert 0 < _variable(template["containers"][0], STREAM_SECONDS) <= int(template["timeout"][:-1]) - 60


def _variable(container: Mapping[str, Any], name: str) -> int:
    (value,) = (each["value"] for each in container["envs"] if each["name"] == name)
    return int(value)


def test_destroying_the_stack_disables_no_api(plan: Plan) -> None:
    """Others in the project may use the same APIs."""
    apis = [each for each in plan.values() if each["type"] == "gcp:projects/service:Service"]

    assert apis
    assert not any(each["inputs"]["disableOnDestroy"] for each in apis)


def test_what_holds_data_is_protected_where_it_matters(preview: tuple[str, Preview]) -> None:
    """In staging and prod Pulumi, the provider and Google refuse to delete it; in dev and local none does."""
    stack, made = preview
    holding = [each for each in made.states.values() if each["type"] in HOLDS_DATA]
    (instance,) = [each["inputs"] for each in holding if each["type"].endswith(":DatabaseInstance")]
    is_kept = stack in {"staging", "prod"}

    assert len(holding) > 5
    assert {each.get("protect", False) for each in holding} == {is_kept}
    assert instance["deletionProtection"] is is_kept
    assert instance["settings"]["deletionProtectionEnabled"] is is_kept
    assert instance["settings"]["retainBackupsOnDelete"] is is_kept


def test_every_name_is_known_before_the_creation(plan: Plan) -> None:
    """No resource has a random suffix, and every name fits the shortest of Google's limits."""
    named = {
        "Topic",
        "Subscription",
        "Network",
        "Subnetwork",
        "GlobalAddress",
        "Job",
        "DatabaseInstance",
        "Database",
    }
    for kind in named:
        for each in _of_type(plan, kind).values():
            assert 1 <= len(each["inputs"]["name"]) <= 63
