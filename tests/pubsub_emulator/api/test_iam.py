"""IAM policies of every kind of resource, and what they decide: whether there may be dead letters."""

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import pytest
from google.api_core.exceptions import Aborted, InvalidArgument, NotFound
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.iam.v1.options_pb2 import GetPolicyOptions
from google.pubsub_v1.types import Schema
from google.type.expr_pb2 import Expr  # type: ignore[import-untyped]

from pubsub_emulator import ManualClock, PubSubServer
from tests.pubsub_emulator.bus import PROJECT, Bus, bus_at, texts

KINDS: Final = ("topics", "subscriptions", "snapshots", "schemas")
ATTEMPTS: Final = 5
AGENT: Final = "service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
EVERYBODY: Final = ("allUsers", "allAuthenticatedUsers")
MEMBERS: Final = (
    *EVERYBODY,
    "user:a@example.com",
    "group:a.b@example.com",
    "serviceAccount:a@p-1.iam.gserviceaccount.com",
    "serviceAccount:p-1.svc.id.goog[namespace/account]",
    "domain:example.com",
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/subject/s",
    "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/*",
    "deleted:user:a@example.com?uid=123",
    "deleted:serviceAccount:a@p-1.iam.gserviceaccount.com?uid=123",
)
MALFORMED: Final = (
    "",
    "nobody",
    "a@example.com",
    "user:",
    "user:a",
    "user:a@",
    "user:a b@example.com",
    "serviceaccount:a@p-1.iam.gserviceaccount.com",
    "robot:a@example.com",
    "domain:",
    "allusers",
    "principal:x",
    "user:a@example.com,user:b@example.com",
)


async def _resource(bus: Bus, kind: str) -> str:
    topic = await bus.topic()
    if kind == "topics":
        return topic
    subscription = await bus.subscription(topic)
    if kind == "subscriptions":
        return subscription
    if kind == "snapshots":
        snapshot = await bus.subscriber.create_snapshot(name="", subscription=subscription)
        return str(snapshot.name)
    made = await bus.schemas.create_schema(
        parent=PROJECT,
        schema_id=bus.name("schemas").rpartition("/")[2],
        schema=Schema(type_=Schema.Type.AVRO, definition='{"type": "string"}'),
    )
    return str(made.name)


async def _get(bus: Bus, resource: str, version: int = 0) -> Any:
    options = GetPolicyOptions(requested_policy_version=version)
    request = iam_policy_pb2.GetIamPolicyRequest(resource=resource, options=options)
    return await bus.publisher.get_iam_policy(request)


async def _set(bus: Bus, resource: str, role: str, *members: str, **fields: Any) -> Any:
    policy = policy_pb2.Policy(bindings=[policy_pb2.Binding(role=role, members=members)], **fields)
    return await _set_policy(bus, resource, policy)


async def _set_policy(bus: Bus, resource: str, policy: policy_pb2.Policy) -> Any:
    request = iam_policy_pb2.SetIamPolicyRequest(resource=resource, policy=policy)
    return await bus.publisher.set_iam_policy(request)


async def _test(bus: Bus, resource: str, *permissions: str) -> list[str]:
    request = iam_policy_pb2.TestIamPermissionsRequest(resource=resource, permissions=permissions)
    return list((await bus.publisher.test_iam_permissions(request)).permissions)


RPCS: Final[tuple[tuple[str, Callable[[Bus, str], Any]], ...]] = (
    ("GetIamPolicy", _get),
    ("SetIamPolicy", lambda bus, name: _set_policy(bus, name, policy_pb2.Policy())),
    ("TestIamPermissions", _test),
)


@pytest.mark.parametrize("kind", KINDS)
async def test_iam_policies_are_kept_and_guarded_by_their_etag(bus: Bus, kind: str) -> None:
    """What was set is read back, and a stale etag is refused; at first the policy is empty."""
    resource = await _resource(bus, kind)
    empty = await _get(bus, resource)
    assert (base64.b64encode(empty.etag), list(empty.bindings)) == (b"ACAB", [])

    policy = await _set(bus, resource, "roles/pubsub.viewer", "user:a@example.com", etag=empty.etag)
    with pytest.raises(Aborted):
        await _set(bus, resource, "roles/pubsub.viewer", "user:b@example.com", etag=empty.etag)

    read = await _get(bus, resource)
    assert read == policy
    assert [(each.role, list(each.members)) for each in read.bindings] == [
        ("roles/pubsub.viewer", ["user:a@example.com"])
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_does_not_exist_has_no_policy(bus: Bus, kind: str) -> None:
    """NOT_FOUND, but for the permissions on it, which are none."""
    missing = bus.name(kind)

    with pytest.raises(NotFound):
        await _get(bus, missing)
    with pytest.raises(NotFound):
        await _set(bus, missing, "roles/pubsub.viewer", "allUsers")
    assert await _test(bus, missing, f"pubsub.{kind}.get") == []


@pytest.mark.parametrize(("rpc", "call"), RPCS)
async def test_a_name_of_the_wrong_form_has_no_policy(
    bus: Bus, rpc: str, call: Callable[[Bus, str], Any]
) -> None:
    """INVALID_ARGUMENT for what is no topic's, subscription's, snapshot's or schema's name."""
    for name in ("", "name", PROJECT, f"{PROJECT}/things/name", *(f"{PROJECT}/{kind}/ab" for kind in KINDS)):
        try:
            await call(bus, name)
        except InvalidArgument:
            continue
        pytest.fail(f"{rpc} takes {name!r}")


async def test_a_policy_goes_with_its_resource(bus: Bus) -> None:
    """A topic of the same name begins without one."""
    topic = await bus.topic()
    await _set(bus, topic, "roles/pubsub.viewer", "allUsers")

    await bus.publisher.delete_topic(topic=topic)
    await bus.publisher.create_topic(name=topic)

    assert not (await _get(bus, topic)).bindings


@pytest.mark.parametrize("kind", KINDS)
async def test_permissions_are_tested_by_their_names(bus: Bus, kind: str) -> None:
    """Those of the resource are answered, and one that does not exist is INVALID_ARGUMENT, never answered."""
    resource = await _resource(bus, kind)
    asked = [f"pubsub.{kind}.get", f"pubsub.{kind}.setIamPolicy"]

    assert await _test(bus, resource, *asked) == asked
    assert await _test(bus, resource) == []
    for unknown in (f"pubsub.{kind}.fly", "pubsub.*", "*", "", "storage.buckets.get", f"pubsub.{kind}.GET"):
        with pytest.raises(InvalidArgument):
            await _test(bus, resource, *asked, unknown)


async def test_a_role_is_one_that_pubsub_knows(bus: Bus) -> None:
    """Predefined and basic roles, and custom ones of a project or an organisation; others are refused."""
    topic = await bus.topic()
    for role in (
        "roles/pubsub.publisher",
        "roles/viewer",
        "projects/p-1/roles/my.Role_1",
        "organizations/12/roles/myRole",
    ):
        await _set(bus, topic, role, "allUsers")
    before = await _get(bus, topic)

    for role in ("", "nonsense", "roles/nonsense", "roles/pubsub.Publisher", "roles/storage.admin", "roles/"):
        with pytest.raises(InvalidArgument, match="Role"):
            await _set(bus, topic, role, "allUsers")

    assert await _get(bus, topic) == before


@pytest.mark.parametrize("member", MEMBERS)
async def test_a_member_of_each_form_is_kept(bus: Bus, member: str) -> None:
    """All of Google's principal identifiers."""
    topic = await bus.topic()
    policy = await _set(bus, topic, "roles/pubsub.publisher", member)
    assert list(policy.bindings[0].members) == [member]


@pytest.mark.parametrize("member", MALFORMED)
async def test_a_malformed_member_is_refused(bus: Bus, member: str) -> None:
    """INVALID_ARGUMENT, also among others that are right, and the policy stays."""
    topic = await bus.topic()
    with pytest.raises(InvalidArgument, match="member"):
        await _set(bus, topic, "roles/pubsub.publisher", "allUsers", member)
    assert not (await _get(bus, topic)).bindings


async def test_a_binding_without_members_is_dropped(bus: Bus) -> None:
    """It grants nothing."""
    topic = await bus.topic()
    assert not (await _set(bus, topic, "roles/pubsub.publisher")).bindings


async def test_a_condition_needs_version_3(bus: Bus) -> None:
    """The versions are 0, 1 and 3; a policy with a condition is of version 3."""
    topic = await bus.topic()
    condition = Expr(expression="request.time < timestamp('2030-01-01T00:00:00Z')")
    binding = policy_pb2.Binding(role="roles/pubsub.publisher", members=["allUsers"], condition=condition)

    for version in (0, 1, 2, 4):
        with pytest.raises(InvalidArgument):
            await _set_policy(bus, topic, policy_pb2.Policy(version=version, bindings=[binding]))
    for version in (2, 4):
        with pytest.raises(InvalidArgument):
            await _set(bus, topic, "roles/pubsub.publisher", "allUsers", version=version)
        with pytest.raises(InvalidArgument):
            await _get(bus, topic, version)

    await _set_policy(bus, topic, policy_pb2.Policy(version=3, bindings=[binding]))
    assert (await _get(bus, topic, 3)).bindings[0].condition == condition


@pytest.fixture
async def strict_bus() -> AsyncIterator[Bus]:
    """An embedded server that asks for the service agent's rights."""
    async with PubSubServer(service_agent=lambda _: AGENT) as server, bus_at(server.address) as bus:
        yield bus


async def _refuse(bus: Bus, subscription: str, times: int) -> list[int]:
    """Refuse what comes; gives the attempts that were told."""
    told: list[int] = []
    for _ in range(times):
        received = await bus.pull(subscription, 1)
        told += [each.delivery_attempt for each in received]
        await bus.refuse(subscription, received)
    return told


@pytest.mark.parametrize(
    ("on_topic", "on_subscription", "is_allowed"),
    [
        ((), (), False),
        (("roles/pubsub.publisher", AGENT), (), False),
        ((), ("roles/pubsub.subscriber", AGENT), False),
        (("roles/pubsub.publisher", AGENT), ("roles/pubsub.subscriber", AGENT), True),
        (("roles/pubsub.subscriber", AGENT), ("roles/pubsub.publisher", AGENT), False),
        (("roles/pubsub.viewer", AGENT), ("roles/pubsub.viewer", AGENT), False),
        (("roles/pubsub.publisher", "other@example.com"), ("roles/pubsub.subscriber", AGENT), False),
        (("roles/editor", AGENT), ("roles/pubsub.admin", AGENT), True),
        (("projects/p-1/roles/own", AGENT), ("roles/pubsub.subscriber", AGENT), True),
    ],
)
async def test_a_message_is_dead_lettered_only_if_the_service_agent_may(
    strict_bus: Bus, on_topic: tuple[str, ...], on_subscription: tuple[str, ...], *, is_allowed: bool
) -> None:
    """It publishes to the dead-letter topic and consumes from the subscription; else the message stays."""
    topic, dead_letter_topic = await strict_bus.topic(), await strict_bus.topic()
    dead_letters = await strict_bus.subscription(dead_letter_topic)
    policy = {"dead_letter_topic": dead_letter_topic, "max_delivery_attempts": ATTEMPTS}
    subscription = await strict_bus.subscription(topic, dead_letter_policy=policy)
    for resource, grant in ((dead_letter_topic, on_topic), (subscription, on_subscription)):
        if grant:
            await _set(strict_bus, resource, grant[0], f"serviceAccount:{grant[1]}")
    await strict_bus.publish(topic, "x")

    told = await _refuse(strict_bus, subscription, ATTEMPTS)

    assert told == ([1, 2, 3, 4, 5] if is_allowed else [0] * ATTEMPTS)
    kept, lost = (dead_letters, subscription) if is_allowed else (subscription, dead_letters)
    await strict_bus.silence(lost)
    assert texts(await strict_bus.consume(kept, 1)) == ["x"]


async def test_a_right_that_is_given_later_counts(strict_bus: Bus) -> None:
    """A message that waits for it becomes a dead letter at its next refusal."""
    topic, dead_letter_topic = await strict_bus.topic(), await strict_bus.topic()
    dead_letters = await strict_bus.subscription(dead_letter_topic)
    policy = {"dead_letter_topic": dead_letter_topic, "max_delivery_attempts": ATTEMPTS}
    subscription = await strict_bus.subscription(topic, dead_letter_policy=policy)
    await strict_bus.publish(topic, "x")
    await _refuse(strict_bus, subscription, ATTEMPTS + 1)

    await _set(strict_bus, dead_letter_topic, "roles/pubsub.publisher", f"serviceAccount:{AGENT}")
    await _set(strict_bus, subscription, "roles/pubsub.subscriber", f"serviceAccount:{AGENT}")
    await _refuse(strict_bus, subscription, 1)

    assert texts(await strict_bus.consume(dead_letters, 1)) == ["x"]


async def test_a_policy_goes_with_a_snapshot_that_expires(timed_bus: Bus, clock: ManualClock) -> None:
    """A new one of the name begins without one."""
    subscription = await timed_bus.subscription(await timed_bus.topic())
    name = timed_bus.name("snapshots")
    await timed_bus.subscriber.create_snapshot(name=name, subscription=subscription)
    await _set(timed_bus, name, "roles/pubsub.viewer", "allUsers")

    clock.advance(8 * 86_400)
    await timed_bus.subscriber.create_snapshot(name=name, subscription=subscription)

    assert not (await _get(timed_bus, name)).bindings
