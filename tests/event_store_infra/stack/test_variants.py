"""Whatever a stack may ask for, it keeps the promises of those that we have."""

from typing import Any

import pytest

from event_store_infra.protection import FOLLOWING, HOLDS_DATA
from tests.event_store_infra.engine import Engine
from tests.event_store_infra.inventory.variants import BY_ENDPOINT, JOINED, ON_ALLOYDB, WHOLE, file_of_prod
from tests.event_store_infra.monitoring.health import conditions, rung_in_health
from tests.event_store_infra.monitoring.real_lines import RealLines
from tests.event_store_infra.stack.test_promises import leaves

# What would make something of ours public, by the end of an input's path.
PUBLIC = {
    ".ipv4Enabled": True,
    ".enablePublicIp": True,
    ".addressType": "EXTERNAL",
    ".ingress": "INGRESS_TRAFFIC_ALL",
    ".invokerIamDisabled": True,
    ".member": "allUsers",
}


@pytest.fixture(
    scope="module",
    params=[WHOLE, JOINED, BY_ENDPOINT, WHOLE | ON_ALLOYDB],
    ids=["whole", "joined", "by endpoint", "on AlloyDB"],
)
async def variant(engine: Engine, request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """Return the plan of prod with other settings, by name in the program."""
    made = await engine.preview("prod", config=file_of_prod(request.param))
    assert made.code == 0, made.text
    return {name: dict(state) for name, state in made.states.items() if state.get("custom")}


def test_nothing_is_public(variant: dict[str, dict[str, Any]]) -> None:
    """No address, no ingress and no grant is the public's."""
    found = [
        (path, value)
        for name, state in variant.items()
        for path, value in leaves(state["inputs"], name)
        for end, public in PUBLIC.items()
        if path.endswith(end) and value == public
    ]

    assert found == []


def test_what_holds_data_is_protected(variant: dict[str, dict[str, Any]]) -> None:
    """Pulumi and the provider keep everything of it, clusters and generations too, but no replicas."""
    holding = {
        name: state
        for name, state in variant.items()
        if state["type"] in HOLDS_DATA and state["inputs"].get("instanceType") not in FOLLOWING
    }
    databases = [
        state["inputs"]
        for state in holding.values()
        if state["type"].rpartition(":")[2] in {"DatabaseInstance", "Cluster"}
    ]

    assert len(holding) > 5
    assert [name for name, state in holding.items() if not state.get("protect")] == []
    assert databases
    assert all(each["deletionProtection"] for each in databases)


def test_no_subscription_expires_or_lacks_dead_letters(variant: dict[str, dict[str, Any]]) -> None:
    """A subscription is either one of dead letters or has some."""
    subscriptions = [
        state["inputs"]
        for state in variant.values()
        if state["type"] == "gcp:pubsub/subscription:Subscription"
    ]

    assert subscriptions
    assert all(each["expirationPolicy"] == {"ttl": ""} for each in subscriptions)
    assert all(each["name"].endswith("-dead-letter") or "deadLetterPolicy" in each for each in subscriptions)


def test_no_alert_rings_while_it_is_well(variant: dict[str, dict[str, Any]], lines: RealLines) -> None:
    """Whatever a stack consists of, its alerts are silent at work, idle and new, and some watch it."""
    assert len(conditions(variant)) >= 8
    assert rung_in_health(variant, lines) == {}
