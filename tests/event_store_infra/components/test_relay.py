"""Where the relay runs is a setting: in the service, or in a worker pool with an identity of its own."""

from typing import Any

import pytest
import yaml

from event_store_infra.settings import ServiceSettings
from tests.event_store_infra.engine import Engine
from tools import ROOT


@pytest.fixture(scope="module")
async def pooled(engine: Engine) -> dict[str, Any]:
    """Return the plan of `dev` with two instances of the relay in a worker pool."""
    text = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    text["config"]["event-store:service"] = {"relay": "worker-pool", "relay_instances": 2}
    preview = await engine.preview("dev", config=yaml.safe_dump(text))
    assert preview.code == 0, preview.text
    return {name: dict(state) for name, state in preview.states.items()}


def _variables(state: dict[str, Any]) -> dict[str, str]:
    envs = state["inputs"]["template"]["containers"][0]["envs"]
    return {each["name"]: each["value"] for each in envs}


def _waits_for(state: dict[str, Any]) -> set[str]:
    return {urn.rpartition("::")[2] for urn in state["dependencies"]}


def test_the_pool_relays_and_the_service_does_not(pooled: dict[str, Any]) -> None:
    """Its containers run `event-store relay` by the same routing, and the service is told to leave it."""
    pool, service = pooled["relay-pool"], pooled["event-store-service"]
    (container,) = pool["inputs"]["template"]["containers"]
    (other,) = service["inputs"]["template"]["containers"]

    assert (container["commands"], container["args"]) == (["event-store"], ["relay"])
    assert pool["inputs"]["scaling"] == {"manualInstanceCount": 2, "scalingMode": "MANUAL"}
    assert pool["inputs"]["template"]["vpcAccess"] == service["inputs"]["template"]["vpcAccess"]
    assert container["image"] == other["image"]
    assert _variables(service)["EVENT_STORE_RELAY"] == "off"
    assert "EVENT_STORE_RELAY" not in _variables(pool)
    assert _variables(pool)["EVENT_STORE_ROUTING"] == _variables(service)["EVENT_STORE_ROUTING"]


def test_only_the_relay_may_publish(pooled: dict[str, Any]) -> None:
    """Its own identity has the grants on the topics and a login; the runtime has no grant on any."""
    publishers = {name for name in pooled if "-publisher-" in name and not name.startswith("bus-")}
    waits_for = _waits_for(pooled["relay-pool"])

    assert len(publishers) == 3
    assert all(name.startswith("relay-publisher-") for name in publishers)
    assert publishers | {"relay-login-user", "migrations-job"} <= waits_for
    assert pooled["relay-account"]["inputs"]["accountId"] == "event-store-relay"
    assert pooled["relay-login-user"]["inputs"]["databaseRoles"] == ["event_store_runtime"]


def test_a_pool_has_its_connections_counted() -> None:
    """Each instance of the pool opens three, and each of the service three less than if it relayed."""
    alone = ServiceSettings(max_instances=3, database_connections=6)
    pooled = ServiceSettings(max_instances=3, database_connections=6, relay="worker-pool", relay_instances=2)

    assert (alone.most_instances(1), alone.most_connections(1)) == (3, 3 * 14)
    assert (pooled.most_instances(1), pooled.most_connections(1)) == (5, 3 * 11 + 2 * 3)
