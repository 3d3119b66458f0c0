"""Only the step that matters is told: what goes along with it, or starts again elsewhere, is not."""

from typing import Any

import pytest

from event_store_infra.preview.effects.project.operations import ACCOUNT
from event_store_infra.preview.effects.workload.run import POOL, SERVICE
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.conftest import Small
from tests.event_store_infra.preview.steps import plan_of, step_of, urn_of

GRANT = "gcp:projects/iAMMember:IAMMember"
PUBLISHER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
INVOKER = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
RELAY = "relay@p.iam.gserviceaccount.com"
Inputs = dict[str, Any]


def _noted(*steps: Inputs) -> list[str]:
    return [each.step.name for each in judge(plan_of(*steps)).notes]


def _service(relay: str) -> Inputs:
    envs = [{"name": "EVENT_STORE_RELAY", "value": relay}, {"name": "EVENT_STORE_ROUTING", "value": "{}"}]
    return {"name": "store", "template": {"containers": [{"image": "a", "envs": envs}]}}


def _publisher(member: str) -> Inputs:
    return {"member": member, "role": "roles/pubsub.publisher", "topic": "words"}


def _on(*names: str) -> Inputs:
    return {"propertyDependencies": {"member": [urn_of(ACCOUNT, each) for each in names]}}


def _alert(*names: str, threshold: int = 1) -> Inputs:
    any_of = ", ".join(f'"{each}"' for each in names)
    condition = {"filter": f"resource.labels.name = one_of({any_of})", "thresholdValue": threshold}
    return {"displayName": "age", "conditions": [{"displayName": "age", "conditionThreshold": condition}]}


_OURS = [{"image": "a", "envs": [{"name": "EVENT_STORE_ROUTING", "value": "{}"}]}]
POOL_INPUTS = {
    "name": "relay",
    "template": {"serviceAccount": RELAY, "containers": _OURS},
    "scaling": {"manualInstanceCount": 1},
}
TO_THE_POOL = [
    step_of("create", POOL, "relay-pool", new=POOL_INPUTS),
    step_of("create", ACCOUNT, "relay-account", new={"accountId": "relay"}),
    step_of("create", PUBLISHER, "relay-publisher", new=_publisher("relay")),
    step_of("update", SERVICE, "service", _service("on"), _service("off")),
    step_of("delete", PUBLISHER, "publisher", _publisher("runtime")),
]
TO_THE_SERVICE = [
    step_of("create", PUBLISHER, "publisher", new=_publisher("runtime")),
    step_of("update", SERVICE, "service", _service("off"), _service("on")),
    step_of("delete", PUBLISHER, "relay-publisher", _publisher("relay"), **_on("relay-account")),
    step_of("delete", GRANT, "relay-login", {"member": "relay", "role": "r"}, **_on("relay-account")),
    step_of("delete", POOL, "relay-pool", POOL_INPUTS),
    step_of(
        "delete", ACCOUNT, "relay-account", {"accountId": "relay"}, id=f"projects/p/serviceAccounts/{RELAY}"
    ),
]


@pytest.mark.parametrize("steps", [TO_THE_POOL, TO_THE_SERVICE], ids=["to the pool", "to the service"])
def test_a_relay_that_moves_stops_nobody(steps: list[Inputs]) -> None:
    """What publishes changes its place, and another account is granted what it needs: nothing is noted."""
    plan = plan_of(*steps)
    verdict = judge(plan)

    assert verdict.passes
    assert verdict.notes == ()
    assert [step.name for step, _ in verdict.spared] == ["relay-account"] * (steps == TO_THE_SERVICE)
    assert "loses no data (compared" in render("prod", plan, verdict)


@pytest.mark.parametrize(
    ("steps", "noted"),
    [
        pytest.param(TO_THE_POOL[1:], ["service", "publisher"], id="no pool"),
        pytest.param(
            [
                step_of("create", POOL, "relay-pool", new={"scaling": {"manualInstanceCount": 0}}),
                *TO_THE_POOL[1:],
            ],
            ["service", "publisher"],
            id="a pool without an instance",
        ),
        pytest.param([*TO_THE_POOL[:2], *TO_THE_POOL[3:]], ["publisher"], id="nobody else may publish"),
        pytest.param([*TO_THE_POOL[:3], TO_THE_POOL[4]], ["publisher"], id="the service does not stop"),
        pytest.param([*TO_THE_SERVICE[2:]], ["relay-pool"], id="the service does not start"),
    ],
)
def test_a_relay_that_starts_nowhere_is_told(steps: list[Inputs], noted: list[str]) -> None:
    """Where nothing publishes from then on, each part of it is."""
    assert _noted(*steps) == noted


def test_another_account_than_the_relay_s_is_cut_off() -> None:
    """A move of the relay is no reason for any other account to go."""
    other = step_of("delete", ACCOUNT, "other", {"accountId": "o"}, id="projects/p/serviceAccounts/o@p")

    assert [each.step.name for each in judge(plan_of(*TO_THE_SERVICE, other)).refused] == ["other"]
    assert [each.step.name for each in judge(plan_of(*TO_THE_SERVICE[2:])).refused] == ["relay-account"]


ACCOUNT_GOES = step_of(
    "delete", ACCOUNT, "runtime", {"accountId": "runtime"}, id="projects/p/serviceAccounts/r@p"
)
LOGIN_GOES = step_of("delete", GRANT, "login", {"member": "runtime", "role": "r"}, **_on("runtime"))


def test_an_account_takes_its_grants_along() -> None:
    """The account is told, by its name, and nothing else; a grant without it is told by itself."""
    plan = plan_of(ACCOUNT_GOES, LOGIN_GOES)
    verdict = judge(plan)

    assert [each.step.name for each in verdict.refused] == ["runtime"]
    assert verdict.notes == ()
    assert "cuts off `r@p` from every grant made outside of this stack" in render("prod", plan, verdict)
    assert _noted(LOGIN_GOES) == ["login"]


def test_an_account_that_is_made_anew_is_told_once() -> None:
    """Its grants are made anew with it, and say nothing."""
    replaced = {**ACCOUNT_GOES, "op": "replace", "newState": ACCOUNT_GOES["oldState"]}
    grant = {**LOGIN_GOES, "op": "replace", "newState": LOGIN_GOES["oldState"]}

    assert [each.deed for each in judge(plan_of(replaced, grant)).refused] == ["replace"]
    assert _noted(replaced, grant) == []


def test_who_acts_as_an_account_that_is_made_anew_is_not_told() -> None:
    """The account is; a service that is given another account is told by itself."""
    replaced = {**ACCOUNT_GOES, "op": "replace", "newState": ACCOUNT_GOES["oldState"]}
    templates = ({"template": {"serviceAccount": each}} for each in ("a@p", "b@p"))
    service = step_of("update", SERVICE, "service", *templates)
    service["newState"]["propertyDependencies"] = {"template": [urn_of(ACCOUNT, "runtime")]}

    another = {**replaced, "urn": urn_of(ACCOUNT, "relay")}

    assert _noted(replaced, service) == []
    assert _noted(service) == _noted(another, service) == ["service"]


def test_an_account_that_is_handed_over_is_no_loss() -> None:
    """Kept in Google Cloud it cuts off nobody, and a grant that goes although it stays is told."""
    kept = {**ACCOUNT_GOES, "oldState": {**ACCOUNT_GOES["oldState"], "retainOnDelete": True}}
    grant = {**LOGIN_GOES, "oldState": {**LOGIN_GOES["oldState"], "retainOnDelete": True}}

    assert judge(plan_of(kept, grant)).passes
    assert _noted(kept, grant) == []
    assert _noted(kept, LOGIN_GOES) == ["login"]


def test_a_service_takes_its_invokers_along() -> None:
    """Whoever called it is stopped by its end, which is told."""
    invoker = step_of("delete", INVOKER, "invoker", {"name": "store", "member": "user:a"})
    invoker["oldState"]["propertyDependencies"] = {"name": [urn_of(SERVICE, "service")]}

    assert _noted(step_of("delete", SERVICE, "service", {"name": "store"}), invoker) == ["service"]
    assert _noted(invoker) == ["invoker"]


def test_a_key_s_grant_is_refused_whoever_goes_with_it() -> None:
    """What is encrypted is lost, which is worse than what is told of the account."""
    grant = step_of(
        "delete", "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "key", {"member": "m"}, **_on("runtime")
    )

    assert {each.step.name for each in judge(plan_of(ACCOUNT_GOES, grant)).refused} == {"runtime", "key"}


@pytest.mark.parametrize(
    ("steps", "noted"),
    [
        ([step_of("delete", SERVICE, "service", {"name": "store"})], ["service"]),
        ([step_of("delete", INVOKER, "invoker", {"name": "store"})], ["alert", "invoker"]),
        ([step_of("delete", SERVICE, "service", {"name": "other"})], ["service", "alert"]),
        ([], ["alert"]),
    ],
)
def test_an_alert_goes_with_all_that_it_looks_at(steps: list[Inputs], noted: list[str]) -> None:
    """The service is told; an alert that goes while the service stays is told by itself."""
    alert = step_of("delete", POLICY, "alert", _alert("store"))

    assert sorted(_noted(*steps, alert)) == sorted(noted)


@pytest.mark.parametrize(
    ("new", "noted"),
    [
        (_alert("store-2"), []),
        (_alert("store-3"), ["alert"]),
        (_alert("store-2", threshold=5), ["alert"]),
        ({**_alert("store-2"), "enabled": False}, ["alert"]),
    ],
)
def test_an_alert_follows_a_restored_database(new: Inputs, noted: list[str]) -> None:
    """It looks at the copy instead of the source, and at nothing less."""
    copy = {"name": "store-2", "clone": {"sourceInstanceName": "store-1"}}
    steps = (
        step_of("create", INSTANCE, "2", new=copy),
        step_of("update", POLICY, "alert", _alert("store-1"), new),
    )

    assert _noted(*steps) == noted


def test_an_alert_need_not_look_at_what_goes() -> None:
    """A topic that goes is told as that; one that stays, and is looked at no longer, of the alert."""
    topic = step_of("delete", "gcp:pubsub/topic:Topic", "topic", {"name": "b"})
    alert = step_of("update", POLICY, "alert", _alert("a", "b"), _alert("a"))

    assert _noted(topic, alert) == []
    assert _noted(alert) == ["alert"]


def test_what_several_have_in_common_is_said_once() -> None:
    """Alerts that all go are one line, in the order of the plan."""
    plan = plan_of(*(step_of("delete", POLICY, each, _alert(each)) for each in "abc"))
    summary = render("prod", plan, judge(plan))

    assert "loses no data, but 3 changes are less safe" in summary
    assert (
        "- `a`, `b`, `c` (3 of monitoring.AlertPolicy), delete is less safe: nobody is told by it" in summary
    )


def test_whom_a_plan_stops_is_said_before_what_is_less_safe() -> None:
    """The heading names the worst, in whichever order the plan has them."""
    plan = plan_of(step_of("delete", POLICY, "alert", _alert("a")), LOGIN_GOES)
    summary = render("prod", plan, judge(plan))

    assert summary.startswith("## `prod`: loses no data, but stops `runtime`: it loses `r` on")
    assert summary.index("### Stops somebody") < summary.index("### Less safe than before")


def test_one_change_of_several_is_said_once() -> None:
    """One property with one effect is one line, with the values where all have the same."""
    kind, off = "gcp:projects/service:Service", {"disableOnDestroy": False}
    plan = plan_of(
        *(step_of("update", kind, each, off, {"disableOnDestroy": True}) for each in "ab"),
    )
    others = plan_of(
        step_of("update", kind, "a", off, {"disableOnDestroy": True}),
        step_of("update", kind, "b", {}, {"disableOnDestroy": True}),
    )
    (line,) = (each for each in render("prod", plan, judge(plan)).splitlines() if "is disabled" in each)
    (short,) = (each for each in render("prod", others, judge(others)).splitlines() if "is disabled" in each)

    assert line.startswith(
        "- `a`, `b` (2 of projects.Service): `disableOnDestroy` `false` → `true` is less safe"
    )
    assert short.startswith("- `a`, `b` (2 of projects.Service): `disableOnDestroy` is less safe")


async def test_consumers_and_dead_letters_are_told_on_a_real_plan(small: Small) -> None:
    """A consumer's grant that goes names it; with its subscription only the subscription is told."""
    consumers = ["user:a@example.com", "user:b@example.com"]
    subscription = {"name": "projection", "topic": "words"}
    small.write(subscriptions=[{**subscription, "consumers": consumers}])
    await small.stack.must_up()
    small.write(subscriptions=[{**subscription, "consumers": consumers[1:]}])
    plan = await small.plan()
    small.write(subscriptions=[])
    removed = judge(await small.plan())

    assert judge(plan).passes
    assert (
        "stops `user:a@example.com`: it loses `roles/pubsub.subscriber` on `projection` (compared"
        in render("prod", plan, judge(plan))
    )
    assert len(removed.refused) == 3
    assert removed.notes == ()
