"""One acknowledgement frees one deed on one resource, and a line that frees nothing is told why."""

import json

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from event_store_infra.preview.judging import acknowledgement
from event_store_infra.preview.judging.acknowledgement import KEY, block, kind
from event_store_infra.preview.judging.guard import Verdict, judge
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.summary import render

TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
NAME = "bus-words-subscription"  # of a subscription, and of a topic that is called `words-subscription`
UNDER = "urn:pulumi:prod::event-store::event-store:infra:{}$gcp:pubsub/topic:Topic::words"


def _urn(kind_: str, name: str = NAME) -> str:
    return f"urn:pulumi:prod::event-store::{kind_}::{name}"


def _judged(deeds: dict[str, str], lines: object) -> tuple[Verdict, str]:
    """Judge a plan of deeds by URN."""
    steps = [
        {"op": op, "urn": urn, "oldState": {"custom": True, "inputs": {}, "id": urn}}
        for urn, op in deeds.items()
    ]
    counts = {op: list(deeds.values()).count(op) for op in deeds.values()}
    config = {KEY: lines if lines is None else json.dumps(lines)}
    plan = Plan.parse(json.dumps({"config": config, "steps": steps, "changeSummary": counts}))
    verdict = judge(plan)
    return verdict, render("prod", plan, verdict)


BOTH = {_urn(TOPIC): "delete", _urn(SUBSCRIPTION): "delete"}


@pytest.mark.parametrize("line", [f"pubsub.Subscription {NAME}", _urn(SUBSCRIPTION)])
def test_a_line_frees_one_of_two_that_share_a_name(line: str) -> None:
    """A topic and a subscription of one name are freed each by its own line."""
    verdict, summary = _judged(BOTH, {line: "delete"})

    assert [each.step.type for each in verdict.refused] == [TOPIC]
    assert verdict.stale == ()
    assert "refused, 1 change would lose data" in summary


@pytest.mark.parametrize(
    ("line", "deed", "fault"),
    [
        (
            NAME,
            "delete",
            f"names no kind of resource, and frees nothing; the plan asks for `pubsub.Topic {NAME}",
        ),
        (f"sql.Database {NAME}", "delete", "names another kind of resource"),
        (f"pubsub.Topic {NAME}", "replace", "says `replace`, but the plan would `delete`"),
        ("pubsub.Topic gone", "delete", f"matches nothing: remove it from {KEY}"),
    ],
)
def test_a_line_that_frees_nothing_is_told_why(line: str, deed: str, fault: str) -> None:
    """The old form, another kind, another deed and a stale line free nothing, each with its own words."""
    verdict, summary = _judged(BOTH, {line: deed})

    assert len(verdict.refused) == len(BOTH)
    assert [each for each, _ in verdict.stale] == [f"{line}: {deed}"]
    assert f"`{line}: {deed}` {fault}" in summary


def test_two_of_one_kind_and_name_are_told_apart_by_urn() -> None:
    """A line that fits two frees neither; the block has the URNs, and frees both when it is pasted."""
    deeds = {UNDER.format(each): "delete" for each in ("Left", "Right")}
    verdict, summary = _judged(deeds, {"pubsub.Topic words": "delete"})
    pasted = yaml.safe_load(summary.split("```yaml\n")[1].split("```")[0])

    assert len(verdict.refused) == len(deeds)
    assert "fits 2 resources and frees none: write the URN" in summary
    assert pasted == {KEY: deeds}
    assert _judged(deeds, pasted[KEY])[0].passes


def test_one_block_acknowledges_all_that_is_refused() -> None:
    """What the preview prints can be pasted, with what is acknowledged already: the next preview passes."""
    _, summary = _judged(BOTH, {f"pubsub.Topic {NAME}": "delete"})
    pasted = yaml.safe_load(summary.split("```yaml\n")[1].split("```")[0])

    assert summary.count("```yaml") == 1
    assert _judged(BOTH, pasted[KEY])[0].passes


@pytest.mark.parametrize(
    ("deed", "passes"),
    [
        ("update instanceType, settings.backupConfiguration.enabled", True),
        ("update instanceType", False),
        ("update settings.backupConfiguration.enabled", False),
        ("update", False),
    ],
)
def test_a_line_names_every_property_that_loses(deed: str, passes: bool) -> None:
    """One update that cuts off and loses is headed by the loss, and a line for one of the two frees none."""
    old, new = (
        {"instanceType": kind_, "settings": {"backupConfiguration": {"enabled": is_on}}}
        for kind_, is_on in (("READ_REPLICA_INSTANCE", True), ("CLOUD_SQL_INSTANCE", False))
    )
    step = {
        "op": "update",
        "urn": _urn("gcp:sql/databaseInstance:DatabaseInstance", "store"),
        "oldState": {"custom": True, "inputs": old},
        "newState": {"custom": True, "inputs": new},
    }
    whole = {"steps": [step], "changeSummary": {"update": 1}}
    plan = Plan.parse(json.dumps(whole))
    lines = {KEY: json.dumps({"sql.DatabaseInstance store": deed})}

    assert "refused, 1 change would lose data" in render("prod", plan, judge(plan))
    assert judge(Plan.parse(json.dumps({**whole, "config": lines}))).passes is passes


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_key_without_lines_acknowledges_nothing(nothing: object) -> None:
    """Whoever takes out the lines and leaves the key has acknowledged nothing, and gets no error."""
    assert len(_judged(BOTH, nothing)[0].refused) == len(BOTH)


@example({"\u0332" * 1000: "delete", "pubsub.Topic words": "replace"})
@given(st.dictionaries(st.text(min_size=1), st.sampled_from(["delete", "replace"]), min_size=1))
def test_any_name_survives_the_block(deeds: dict[str, str]) -> None:
    """Whatever a resource is called, the block is YAML that acknowledges exactly that."""
    assert yaml.safe_load(block(deeds)) == {KEY: deeds}


@pytest.mark.parametrize("stale", [False, True])
def test_a_plan_is_judged_in_proportion_to_its_size(stale: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work for a deletion does not grow with their number, nor with that of the lines."""
    calls: list[str] = []

    def counted(resource_type: str) -> str:
        calls.append(resource_type)
        return kind(resource_type)

    monkeypatch.setattr(acknowledgement, "kind", counted)
    names = [f"bus-{number}" for number in range(300)]

    _judged(
        {_urn(TOPIC, each): "delete" for each in names},
        {f"{'sql.Database' if stale else 'pubsub.Topic'} {each}": "delete" for each in names},
    )

    assert len(calls) < 10 * len(names)


def test_a_kind_is_told_of_any_type() -> None:
    """A type of two parts, or of none, or of another provider is its own kind."""
    assert [kind(each) for each in (TOPIC, "a:b", "a", "docker-build:index:Image")] == [
        "pubsub.Topic",
        "a:b",
        "a",
        "docker-build:index:Image",
    ]
