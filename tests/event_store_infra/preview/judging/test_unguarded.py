"""What Pulumi no longer keeps from a deletion is named, also where nothing else changes."""

import json
from typing import Any

import pytest

from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.conftest import Small

TOPIC = "gcp:pubsub/topic:Topic"
DASHBOARD = "gcp:monitoring/dashboard:Dashboard"


def _plan(kind: str, op: str, before: dict[str, bool], after: dict[str, bool]) -> Plan:
    """Return a plan that changes options of the engine's own, and with `update` a label as well."""
    old, new = ({"custom": True, "id": "w", "inputs": {"labels": {}}, **each} for each in (before, after))
    changes: dict[str, Any] = {}
    if op == "update":
        new["inputs"], changes = {"labels": {"a": "b"}}, {"detailedDiff": {"labels.a": {"kind": "add"}}}
    step = {"op": op, "urn": f"urn:pulumi:prod::event-store::{kind}::words", "oldState": old, "newState": new}
    return Plan.parse(json.dumps({"config": {}, "steps": [{**step, **changes}], "changeSummary": {op: 1}}))


async def test_protection_that_is_taken_is_no_silent_change(small: Small) -> None:
    """On a real plan, in which all else stays: the note counts, and the way back has none."""
    small.write(protected=True)
    given = await small.plan()
    await small.stack.must_up()
    small.write(protected=False)
    for flags in ((), ("--refresh",)):
        taken = Plan.parse(await small.text(*flags))
        verdict = judge(taken)
        summary = render("prod", taken, verdict)

        assert (taken.steps, verdict.passes) == ((), True)
        assert "loses no data, but 1 change is less safe" in summary
        assert "(sql.DatabaseInstance) is less safe: Pulumi no longer refuses to delete it." in summary
    assert "no change" in render("prod", given, judge(given))


@pytest.mark.parametrize("op", ["same", "update"])
@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("protect", "Pulumi no longer refuses to delete it"),
        ("retainOnDelete", "it no longer stays in Google"),
    ],
)
def test_each_option_says_what_it_kept(op: str, option: str, words: str) -> None:
    """With and without another change; both options at once are two notes, and one that stays is none."""
    taken = _plan(TOPIC, op, {option: True}, {})
    both = _plan(TOPIC, op, {"protect": True, "retainOnDelete": True}, {"protect": False})
    given = _plan(TOPIC, op, {}, {option: True})

    assert [each.effect.what.startswith(words) for each in judge(taken).notes] == [True]
    assert "1 change is less safe" in render("prod", taken, judge(taken))
    assert len(judge(both).notes) == 2
    assert judge(given).notes == ()


def test_what_loses_nothing_needs_no_protection() -> None:
    """A dashboard is made again from the program: that nothing protects it is no note."""
    assert judge(_plan(DASHBOARD, "same", {"protect": True}, {})).notes == ()


@pytest.mark.parametrize("follows", ["store", ""])
def test_a_replica_needs_no_guard(follows: str) -> None:
    """It holds nothing of its own, so that only an instance which follows none is less safe without."""
    inputs = {"name": "store-replica", **({"masterInstanceName": follows} if follows else {})}
    state = {"custom": True, "inputs": inputs, "outputs": inputs, "id": "store-replica"}
    step = {
        "op": "same",
        "urn": "urn:pulumi:prod::event-store::gcp:sql/databaseInstance:DatabaseInstance::replica",
        "oldState": {**state, "protect": True},
        "newState": state,
    }
    verdict = judge(Plan.parse(json.dumps({"config": {}, "steps": [step], "changeSummary": {"same": 1}})))

    assert [each.step.name for each in verdict.notes] == ([] if follows else ["replica"])
