"""A plan in part, a step without a past and what takes others' rights away do not pass."""

import json
from typing import Any

import pytest

from event_store.errors import ConfigurationError
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.conftest import Small
from tests.event_store_infra.preview.steps import step_of, text_of

ACCOUNT = "gcp:serviceaccount/account:Account"
TOPIC = "gcp:pubsub/topic:Topic"
SERVICE = "gcp:projects/service:Service"
AUTHORITATIVE = [
    "gcp:projects/iAMPolicy:IAMPolicy",
    "gcp:projects/iAMBinding:IAMBinding",
    "gcp:pubsub/topicIAMPolicy:TopicIAMPolicy",
    "gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding",
    "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding",
]


def _same_without_an_id() -> dict[str, Any]:
    """Return what the engine lists, with `--show-sames`, of a new resource that `--target` leaves out."""
    step = step_of("same", TOPIC, old={})
    del step["oldState"]["id"]
    return step


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "does not count its changes"),
        (text_of(changeSummary={}), "does not count its changes"),
        (text_of(step_of("create", TOPIC, old={}), changeSummary=None), "does not count its changes"),
        (text_of(maybeCorrupt=True), "the engine calls it corrupt"),
        (text_of(changeSummary={"melt": 1}), "counts 1 steps of `melt`, but lists 0"),
        (
            text_of(step_of("create", TOPIC, old={}), changeSummary={"create": 2}),
            "counts 2 steps of `create`, but lists 1",
        ),
        (
            text_of({"op": "delete", "urn": step_of("delete", TOPIC, old={})["urn"]}),
            "does not say what `delete`",
        ),
        (text_of(_same_without_an_id()), "it leaves out the making of .*words, as one with --target"),
    ],
)
def test_a_plan_in_part_is_refused(text: str, why: str) -> None:
    """Empty, cancelled, corrupt, counted and not listed, or without the old state: each is told as that."""
    with pytest.raises(ConfigurationError, match=f"no plan of the whole stack: .*{why}"):
        Plan.parse(text)


def test_a_state_that_says_not_what_it_is_counts_as_a_resource() -> None:
    """Only what the engine calls a component is a name without a loss."""
    step = step_of("delete", TOPIC, old={})
    del step["oldState"]["custom"]

    assert not judge(Plan.parse(text_of(step))).passes


def test_an_unknown_operation_passes_on_no_type() -> None:
    """Also on a type that holds nothing, nobody can say what it would do."""
    plan = Plan.parse(text_of(step_of("melt", ACCOUNT, old={})))

    assert not judge(plan).passes
    assert "this guard does not know" in render("prod", plan, judge(plan))


@pytest.mark.parametrize("op", ["create", "update", "replace", "delete"])
@pytest.mark.parametrize("kind", AUTHORITATIVE)
def test_what_takes_the_rights_of_others_is_refused(kind: str, op: str) -> None:
    """A policy or a binding takes every grant that it does not name, even as it is made; a line frees it."""
    verdict = judge(Plan.parse(text_of(step_of(op, kind, old={}))))
    key = f"{kind.split(':')[1].partition('/')[0]}.{kind.rpartition(':')[2]} words"
    config = {"event-store:acknowledged": json.dumps({key: op})}

    assert [each.deed for each in verdict.refused] == [op]
    assert judge(Plan.parse(text_of(step_of(op, kind, old={}), config=config))).passes


@pytest.mark.parametrize(("inputs", "passes"), [({"disableOnDestroy": False}, True), ({}, False)])
def test_an_api_is_not_disabled_unasked(inputs: dict[str, object], passes: bool) -> None:
    """An API that goes from the stack passes only where it is known to stay enabled."""
    assert judge(Plan.parse(text_of(step_of("delete", SERVICE, old=inputs)))).passes == passes
    assert not judge(Plan.parse(text_of(step_of("delete", SERVICE, old={"disableOnDestroy": True})))).passes


@pytest.mark.parametrize("kind", ["two:parts", "one", "a:b:c"])
def test_a_type_of_any_form_is_refused_without_a_traceback(kind: str) -> None:
    """A type that is none of Google's has no loss that the guard knows, and does not pass."""
    plan = Plan.parse(text_of(step_of("delete", kind, old={})))

    assert not judge(plan).passes
    assert kind in render("prod", plan, judge(plan))


def test_the_making_of_an_unknown_type_is_told() -> None:
    """It may exclude the service's lines from the log, or run a command: it passes, and is named."""
    plan = Plan.parse(text_of(step_of("create", "gcp:logging/projectExclusion:ProjectExclusion", old={})))
    summary = render("prod", plan, judge(plan))

    assert judge(plan).passes
    assert "nobody has said what the making of one does" in summary
    assert not judge(Plan.parse(text_of(step_of("create", TOPIC, old={})))).notes


async def test_one_replacement_is_one_change(small: Small) -> None:
    """On a real plan with `--show-replacement-steps`: the halves are not counted beside the whole."""
    filtered = {"name": "projection", "topic": "words", "filter": 'attributes.event_type = "Added"'}
    small.write(subscriptions=[filtered])
    plan = Plan.parse(await small.text("--show-replacement-steps"))

    assert [each.step.name for each in judge(plan).refused] == ["bus-projection-subscription"]
    assert "2 to replace, 9 unchanged" in render("prod", plan, judge(plan))
