"""The guard fails closed: what it does not know, it refuses."""

import json
from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from event_store.errors import ConfigurationError
from event_store_infra.preview.effects import TABLES, table_of
from event_store_infra.preview.judging.acknowledgement import kind
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.summary import render, shortened
from event_store_infra.protection import HOLDS_DATA
from local_gcp.resource.sdk_schema import schema_of
from tests.event_store_infra.inventory import FOLDER
from tests.event_store_infra.preview.steps import step_of

TOPIC = "gcp:pubsub/topic:Topic"
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
NEW = "gcp:spanner/instance:Instance"
SAFE = {"create", "update", "import", "read", "discard", "discard-replaced", "diff", "extend-parameterize"}
# Every operation of the engine, and one that a later one may have.
OPS = sorted(
    SAFE
    | {
        *("delete", "replace", "create-replacement", "delete-replaced", "read-replacement"),
        *("import-replacement", "remove-pending-replace", "melt"),
    }
)


def _words(op: str, name: str = "words", kind: str = TOPIC) -> dict[str, Any]:
    return step_of(op, kind, name, {"name": name})


def _plan(*steps: dict[str, Any], **config: object) -> Plan:
    keys = {f"event-store:{key}": json.dumps(value) for key, value in config.items()}
    counts = {"same": 1, **Counter(each["op"] for each in steps)}
    return Plan.parse(json.dumps({"config": keys, "steps": list(steps), "changeSummary": counts}))


@pytest.mark.parametrize("op", OPS)
def test_every_operation_that_could_lose_data_is_refused(op: str) -> None:
    """On a type that holds data, or that nobody has judged, only operations known to be safe pass."""
    assert judge(_plan(_words(op))).passes == (op in SAFE)
    assert judge(_plan(_words(op, kind=NEW))).passes == (op in SAFE)
    assert judge(_plan(_words(op, kind=ROLE))).passes == (op != "melt")


def test_an_operation_of_a_newer_engine_cannot_be_acknowledged() -> None:
    """Nobody can agree to what the guard cannot name."""
    plan = _plan(_words("melt"), acknowledged={"pubsub.Topic words": "delete"})
    verdict = judge(plan)

    assert not verdict.passes
    assert "`melt` is an operation that this guard does not know" in render("prod", plan, verdict)


def test_a_plan_that_hides_a_deletion_is_refused() -> None:
    """A plan of a part of the stack cannot be judged."""
    text = json.dumps({"steps": [_words("update")], "changeSummary": {"delete": 1, "update": 1}})

    with pytest.raises(ConfigurationError, match="counts 1 steps of `delete`, but lists 0"):
        Plan.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "{}", '{"steps": []}', '{"steps": [{}]}', '{"steps": [{"op": "delete", "urn": "x"}]}'],
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    """An engine that printed something else has not said that nothing is lost."""
    with pytest.raises(ConfigurationError, match="no plan"):
        Plan.parse(text)


@pytest.mark.parametrize("acknowledged", [["words"], {"words": "yes"}, "words", 1])
def test_an_acknowledgement_that_says_nothing_is_an_error(acknowledged: object) -> None:
    """It names a resource and a deed; anything else is a mistake in the stack's file, and told as one."""
    with pytest.raises(ConfigurationError, match="event-store:acknowledged"):
        judge(_plan(_words("delete"), acknowledged=acknowledged))


def test_every_type_of_every_stack_is_judged() -> None:
    """Each type that a stack has has a table of what its changes do."""
    types = {each for file in FOLDER.glob("*.yaml") for each in yaml.safe_load(file.read_text())["counts"]}

    assert len(types) > 10
    assert sorted(each for each in types if table_of(each) is None) == []


def test_the_table_knows_what_pulumi_protects() -> None:
    """Whatever a protected stack protects has a table, and every table is of a type that the SDK has."""
    assert TABLES.keys() >= HOLDS_DATA
    for each in TABLES:
        schema_of(each)


_steps = st.lists(
    st.builds(
        _words,
        st.sampled_from(OPS),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([TOPIC, ROLE, NEW]),
    ),
    max_size=6,
)


@settings(max_examples=200)
@given(
    steps=_steps,
    acknowledged=st.dictionaries(
        st.sampled_from([f"{kind(each)} {name}" for each in (TOPIC, ROLE, NEW) for name in "abc"]),
        st.sampled_from(["delete", "replace"]),
    ),
)
def test_nothing_passes_that_is_neither_safe_nor_acknowledged(
    steps: list[dict[str, Any]], acknowledged: dict[str, str]
) -> None:
    """Whatever a plan holds, it passes only if each step is safe, or its very deed on it acknowledged."""
    plan = _plan(*steps, acknowledged=acknowledged)
    verdict = judge(plan)
    summary = render("prod", plan, verdict)

    if verdict.passes:
        for step in steps:
            key = f"{kind(step['oldState']['type'])} {step['urn'].rpartition('::')[2]}"
            deed = "delete" if step["op"] == "delete" else "replace"
            assert (
                step["op"] in SAFE
                or (step["oldState"]["type"] == ROLE and step["op"] != "melt")
                or acknowledged[key] == deed
            )
    for finding in verdict.findings:
        assert f"{finding.deed} `{finding.step.name}`" in summary
    used = {f"{kind(each.step.type)} {each.step.name}" for each in verdict.findings if each.acknowledged}
    assert {line.partition(":")[0] for line, _ in verdict.stale} == acknowledged.keys() - used


def test_a_summary_always_fits_into_a_comment() -> None:
    """A plan of a thousand steps is cut, at a line's end and with nothing left open."""
    plan = _plan(*(_words("create", f"topic-{number}") for number in range(1000)))
    whole = render("prod", plan, judge(plan))
    cut = shortened(whole, 10_000)

    assert len(whole) > 10_000
    assert len(cut) <= 10_000
    assert cut.count("<details>") == cut.count("</details>") == 1
    assert "prints all of it" in cut
    assert shortened(whole, len(whole)) == whole


def test_no_text_of_a_plan_breaks_the_summary() -> None:
    """A value is one short line of code, whatever is in it, and one that is not known yet says so."""
    step = _words("update")
    step["detailedDiff"] = {each: {"kind": "update", "inputDiff": True} for each in ("a", "b", "c[0].d")}
    step["oldState"]["inputs"] = {"a": "`x`\n# title", "b": "y" * 500, "c": [{"d": 1}]}
    step["newState"] = {
        **step["oldState"],
        "inputs": {"a": "[secret]", "b": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "c": [{"d": 2}]},
    }
    plan = _plan(step)
    line = next(
        each for each in render("prod", plan, judge(plan)).splitlines() if each.startswith("- update")
    )

    assert '`a` `"\'x\'\\n# title"` → `"[secret]"`' in line
    assert "…` → (known later)" in line
    assert "`c[0].d` `1` → `2`" in line
    assert len(line) < 300
