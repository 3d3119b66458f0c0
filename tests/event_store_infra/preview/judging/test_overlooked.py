"""What looks harmless is told: secrets, sidecars, other pools, kept accounts, shared alerts."""

from typing import Any

import pytest

from event_store.errors import ConfigurationError
from event_store_infra.preview.effects.effect import Severity
from event_store_infra.preview.judging.guard import Verdict, judge
from event_store_infra.preview.plan.plan import UNKNOWN, Plan
from event_store_infra.preview.review import review
from tests.event_store_infra.preview.effects.changed import changed
from tests.event_store_infra.preview.steps import step_of, text_of

SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
SERVICE = "gcp:cloudrunv2/service:Service"
POOL = "gcp:cloudrunv2/workerPool:WorkerPool"
ACCOUNT = "gcp:serviceaccount/account:Account"
POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
OURS = {"image": "a", "envs": [{"name": "EVENT_STORE_ROUTING", "value": "{}"}]}
SIDECAR = {"image": "otel"}


def _judge(*steps: dict[str, Any]) -> Verdict:
    return judge(Plan.parse(text_of(*steps)))


def _service(*containers: dict[str, Any], relay: str = "on", least: int = 1) -> dict[str, Any]:
    envs = [*OURS["envs"], {"name": "EVENT_STORE_RELAY", "value": relay}]
    listed = [{**each, "envs": envs} if each == OURS else each for each in containers]
    return {"name": "store", "template": {"containers": listed, "scaling": {"minInstanceCount": least}}}


@pytest.mark.parametrize(
    ("kind", "path"),
    [(SUBSCRIPTION, "messageRetentionDuration"), (INSTANCE, "settings.backupConfiguration.enabled")],
)
def test_a_secret_that_changes_counts_as_the_worst(kind: str, path: str) -> None:
    """The engine names the path and blinds both values: nobody can tell that the change is harmless."""
    assert not judge(changed(kind, path, "[secret]", "[secret]")).passes


def test_a_whole_block_may_be_a_secret() -> None:
    """What is named within it counts as one."""
    step = step_of(
        "update", SUBSCRIPTION, "s", {"expirationPolicy": "[secret]"}, {"expirationPolicy": "[secret]"}
    )
    step["detailedDiff"] = {"expirationPolicy.ttl": {"kind": "update"}}

    assert not _judge(step).passes


def test_what_is_no_amount_may_be_less() -> None:
    """A duration in a form that nobody expects, before or after, is not taken for a longer one."""
    for old, new in (("1h30m", "600s"), ("600s", "1h30m")):
        assert not judge(changed(SUBSCRIPTION, "messageRetentionDuration", old, new)).passes


@pytest.mark.parametrize(
    "pool",
    [
        {"name": "other", "template": {"containers": [{"image": "mine"}]}},
        {
            "name": "relay",
            "template": {"containers": [OURS]},
            "scaling": {"scalingMode": "AUTOMATIC", "minInstanceCount": 0},
        },
        {"name": "relay", "template": {"containers": [OURS]}, "scaling": {"manualInstanceCount": UNKNOWN}},
    ],
)
def test_only_a_pool_that_is_sure_to_publish_takes_the_relay_over(pool: dict[str, Any]) -> None:
    """Another program's, one that may have no instance, or nobody knows how many: publishing stops."""
    off = step_of("update", SERVICE, "service", _service(OURS), _service(OURS, relay="off"))
    verdict = _judge(step_of("create", POOL, "pool", None, pool), off)

    assert Severity.STOPS in {each.effect.severity for each in verdict.notes}


def test_a_sidecar_in_first_place_hides_nothing() -> None:
    """The relay is in the second container, and would run without an instance."""
    idle = step_of("update", SERVICE, "service", _service(SIDECAR, OURS), _service(SIDECAR, OURS, least=0))

    assert "no relay runs" in _judge(idle).notes[0].effect.what


def test_an_alert_over_several_does_not_go_along_with_one() -> None:
    """It still watched the other one; one that watched only what goes needs no word."""
    gone = step_of("delete", SUBSCRIPTION, "a", {"name": "a"})

    def alert(*names: str) -> dict[str, Any]:
        listed = ", ".join(f'"{each}"' for each in names)
        condition = {"filter": f"resource.labels.subscription_id = one_of({listed})"}
        return step_of("delete", POLICY, "alert", {"conditions": [{"conditionThreshold": condition}]})

    assert [each.step.name for each in _judge(gone, alert("a", "b")).notes] == ["alert"]
    assert _judge(gone, alert("a")).notes == ()


@pytest.mark.parametrize(("op", "passes"), [("replace", False), ("delete", True)])
def test_an_account_that_is_kept_and_replaced_is_cut_off_all_the_same(op: str, passes: bool) -> None:
    """The service goes on as the new one, which has nothing of what others granted to the kept one."""
    new = {"accountId": "b"} if op == "replace" else None
    step = step_of(op, ACCOUNT, "account", {"accountId": "a"}, new, retainOnDelete=True)

    assert _judge(step).passes is passes


@pytest.mark.parametrize("edition", ["ENTERPRISE", None, UNKNOWN])
def test_what_google_filled_in_is_no_other_edition(edition: str | None) -> None:
    """Said for the first time, no longer said, or not known yet: no replica stands in the way."""
    old = {"name": "store", "databaseVersion": "POSTGRES_18", "settings": {}}
    new = {**old, "settings": {} if edition is None else {"edition": edition}}
    primary = step_of("update", INSTANCE, "primary", old, new)
    primary["oldState"]["outputs"] = {**old, "settings": {"edition": "ENTERPRISE"}}
    follows = {"name": "replica", "masterInstanceName": "store", "databaseVersion": "POSTGRES_18"}
    replica = step_of("update", INSTANCE, "replica", follows, {**follows, "settings": {}})

    assert _judge(primary, replica).obstacles == ()


def test_what_cannot_be_judged_is_refused_in_one_line() -> None:
    """A mapping where a list was ever: no traceback, and the plan does not pass."""
    new = {"name": "store", "settings": {"databaseFlags": 7, "tier": "db-custom-1-3840"}}
    primary = step_of("update", INSTANCE, "primary", {"name": "store", "settings": {}}, new)
    follows = {"name": "replica", "masterInstanceName": "store", "settings": {}}
    replica = step_of("update", INSTANCE, "replica", follows, follows)

    with pytest.raises(ConfigurationError, match="cannot judge the plan of prod"):
        review("prod", text_of(primary, replica))
