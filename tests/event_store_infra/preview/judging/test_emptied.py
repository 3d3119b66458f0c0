"""An empty log in place of a full one is refused: in a new generation, or where one was lost outside."""

import json
import re
from collections import Counter
from typing import Any

import pytest

from event_store_infra.preview.effects.bus.pubsub import SUBSCRIPTION
from event_store_infra.preview.effects.database.alloydb import CLUSTER, NODE
from event_store_infra.preview.effects.database.sql import INSTANCE
from event_store_infra.preview.effects.project.operations import ACCOUNT
from event_store_infra.preview.effects.workload.run import JOB, POOL, SERVICE
from event_store_infra.preview.judging.emptied import COPIES, FOLLOWS
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.conftest import Small
from tests.event_store_infra.preview.effects.properties import properties_of

FILLS = re.compile(r"clone|restore|backupdr|masterInstance|secondaryConfig", re.IGNORECASE)


def _urn(kind: str, name: str) -> str:
    return f"urn:pulumi:prod::event-store::{kind}::{name}"


def _made(kind: str, called: str, /, *refers: str, **inputs: object) -> dict[str, Any]:
    """Return a step that makes a resource of the outputs of others, by their URNs."""
    state = {"custom": True, "inputs": inputs, "propertyDependencies": {"of": list(refers)}}
    return {"op": "create", "urn": _urn(kind, called), "newState": state}


def _changed(kind: str, name: str, *refers: str) -> dict[str, Any]:
    """Return a step that lets what runs already work on others."""
    made = _made(kind, name, *refers)
    return {**made, "op": "update", "oldState": {"custom": True, "inputs": {"labels": {}}}}


def _refreshed(kind: str, name: str) -> dict[str, Any]:
    """Return a step of the plan's own refresh, as the engine prints it of what it finds and what not."""
    state = {"custom": True, "inputs": {"name": "store"}}
    return {"op": "refresh", "urn": _urn(kind, name), "oldState": state, "newState": state}


def _plan(*steps: dict[str, Any]) -> Plan:
    counts = {"same": 3, **Counter(each["op"] for each in steps)}
    return Plan.parse(json.dumps({"config": {}, "steps": steps, "changeSummary": counts}))


SECOND = _made(INSTANCE, "database-2-instance", name="store-2")
RESTORED = _made(INSTANCE, "database-2-instance", name="store-2", clone={"sourceInstanceName": "store"})
ADDRESS = SECOND["urn"]


@pytest.mark.parametrize("kind", [SERVICE, JOB, POOL])
def test_a_service_never_goes_over_to_an_empty_log_unsaid(kind: str) -> None:
    """A new generation without `restore_from` is refused as it is made, and says where to copy from."""
    plan = _plan(SECOND, _changed(kind, "service", ADDRESS))
    verdict = judge(plan)
    summary = render("prod", plan, verdict)

    assert [(each.deed, each.step.name) for each in verdict.refused] == [("create", "database-2-instance")]
    assert "refused, 1 change would lose data" in summary
    assert "loses sight of the log: the service would use a new and empty one" in summary
    assert "set `restore_from: {instance: NAME, time: TIME}` under `event-store:database`" in summary
    assert "sql.DatabaseInstance database-2-instance: create\n" in summary
    assert "because the program declares a new one" in summary


def test_an_acknowledged_empty_log_passes() -> None:
    """Whoever means it says so in one line."""
    steps = [SECOND, _changed(SERVICE, "service", ADDRESS)]
    line = json.dumps({"sql.DatabaseInstance database-2-instance": "create"})
    config = {"event-store:acknowledged": line}
    text = json.dumps({"config": config, "steps": steps, "changeSummary": {"create": 1, "update": 1}})

    assert judge(Plan.parse(text)).passes


def test_a_cluster_is_followed_through_its_instance() -> None:
    """What runs knows the address of a cluster's instance, not the cluster."""
    cluster = _made(CLUSTER, "cluster", clusterId="store-2")
    primary = _made(NODE, "primary", cluster["urn"], instanceType="PRIMARY")
    verdict = judge(_plan(cluster, primary, _changed(SERVICE, "service", primary["urn"])))

    assert [each.step.name for each in verdict.refused] == ["cluster"]
    assert "gcloud alloydb clusters restore" in verdict.refused[0].effect.instead


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([RESTORED, _changed(SERVICE, "service", ADDRESS)], id="a restore"),
        pytest.param([SECOND, _made(SERVICE, "service", ADDRESS)], id="the first update"),
        pytest.param([SECOND], id="an update that failed before anything ran"),
        pytest.param(
            [SECOND, _changed(ACCOUNT, "account"), _made(JOB, "migrations", ADDRESS)], id="failed half-way"
        ),
        pytest.param([SECOND, _changed(SERVICE, "service", _urn(INSTANCE, "first"))], id="another instance"),
        pytest.param(
            [_made(INSTANCE, "replica", masterInstanceName="store"), _changed(SERVICE, "service", "replica")],
            id="a replica",
        ),
        pytest.param(
            [_refreshed(INSTANCE, "replica"), _made(INSTANCE, "replica", masterInstanceName="store")],
            id="a replica that was lost",
        ),
        pytest.param([_refreshed(NODE, "primary"), _made(NODE, "primary")], id="an instance of a cluster"),
        pytest.param(
            [_refreshed(INSTANCE, "first"), _changed(SERVICE, "service", _urn(INSTANCE, "first"))],
            id="a refresh that finds all",
        ),
    ],
)
def test_what_loses_no_log_is_refused_nothing(steps: list[dict[str, Any]]) -> None:
    """A restore, a first update also after one that failed, a replica, another's instance."""
    assert judge(_plan(*steps)).refused == ()


def test_a_clone_that_was_lost_is_not_made_again_in_silence() -> None:
    """It would have what its source had at that time, and nothing that was appended since."""
    verdict = judge(_plan(_refreshed(INSTANCE, "database-2-instance"), RESTORED))

    assert [each.step.name for each in verdict.refused] == ["database-2-instance"]


def test_an_account_that_was_lost_can_be_had_back() -> None:
    """Once another one has its name, Google no longer gives it back with what others granted to it."""
    plan = _plan(_refreshed(ACCOUNT, "runtime"), _made(ACCOUNT, "runtime"))
    summary = render("prod", plan, judge(plan))

    assert "refused, 1 change could not be taken back" in summary
    assert "gcloud iam service-accounts undelete" in summary


async def test_what_was_deleted_outside_is_not_replaced_by_an_empty_one_in_silence(small: Small) -> None:
    """On a real plan with `--refresh`: instance and subscription are refused, and nothing if all is there."""
    cloud = small.stack.cloud
    whole = Plan.parse(await small.text("--refresh"))
    for kind in (INSTANCE, SUBSCRIPTION):
        for record in list(cloud.records.of_type(kind)):
            await cloud.delete(record)
    plan = Plan.parse(await small.text("--refresh"))
    verdict = judge(plan)
    summary = render("prod", plan, verdict)

    assert (judge(whole).passes, whole.found_gone) == (True, frozenset())
    assert {(each.deed, each.step.name) for each in verdict.refused} == {
        ("create", "database-instance"),
        ("create", "bus-projection-subscription"),
        ("create", "bus-projection-dead-letter-subscription"),
    }
    assert "refused, 3 changes would lose data" in summary
    assert "loses its backlog" in summary
    assert "It was deleted outside of Pulumi, and an empty one would take its place" in summary


def test_each_property_that_fills_a_new_one_is_known() -> None:
    """None is misspelt, and none is missing that the SDK has."""
    roots = {name.partition(".")[0] for kind in (INSTANCE, CLUSTER) for name in properties_of(kind)}

    assert {each for each in roots if FILLS.search(each)} == {*FOLLOWS, *COPIES}
