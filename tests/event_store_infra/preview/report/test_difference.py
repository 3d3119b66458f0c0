"""Old and new can be told apart, however long they are and wherever they differ."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.difference import apart
from event_store_infra.preview.report.summary import render

LONGEST = 60
PATH = "projects/team-security/locations/europe-west1/keyRings/store/cryptoKeys/{}/cryptoKeyVersions/1"
_values = st.recursive(
    st.text(max_size=90) | st.integers(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=9), each, max_size=4),
)


@given(_values, _values)
@example("x" * 100 + "a", "x" * 100 + "b")
@example("x" * 100, "x" * 101)
@example([1, 1, 1] * 20, [1, 1] * 20)
def test_what_differs_never_looks_the_same(old: object, new: object) -> None:
    """Each is short, and the two are equal only if the values are."""
    texts = [json.dumps(each, ensure_ascii=False, sort_keys=True) for each in (old, new)]
    shown = apart(texts[0], texts[1], LONGEST)

    assert max(map(len, shown)) <= LONGEST
    assert (shown[0] == shown[1]) == (texts[0] == texts[1])


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ({"a": "x" * 80, "b": 1}, {"a": "x" * 80, "b": 2}, ('{"b": 1}', '{"b": 2}')),
        (["x" * 80, "one"], ["x" * 80], ('["one"]', "[]")),
        ({"a": {"b": 1, "c": "x" * 80}}, {"a": {"c": "x" * 80}}, ('{"a": {"b": 1}}', '{"a": {}}')),
    ],
)
def test_of_many_members_those_that_change_are_shown(
    old: object, new: object, shown: tuple[str, str]
) -> None:
    """A removed route is seen among those that stay."""
    assert apart(json.dumps(old), json.dumps(new), LONGEST) == shown


def test_two_keys_are_told_apart_in_the_summary() -> None:
    """A key is seen where it differs, and a plan that failed says that it is in part."""
    urn = "urn:pulumi:prod::store::gcp:pubsub/topic:Topic::words"
    old, new = ({"custom": True, "inputs": {"kmsKeyName": PATH.format(each)}} for each in ("log", "bus"))
    step = {"op": "update", "urn": urn, "oldState": old, "newState": new}
    step["detailedDiff"] = {"kmsKeyName": {"kind": "update"}}
    errors = [{"severity": "error", "message": "error: topic cannot be deleted"}]
    plan = Plan.parse(json.dumps({"steps": [step], "changeSummary": {"update": 1}, "diagnostics": errors}))
    summary = render("prod", plan, judge(plan))

    assert "/cryptoKeys/log/" in summary
    assert "/cryptoKeys/bus/" in summary
    assert "may not be all that would be lost" in summary
