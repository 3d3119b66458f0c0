"""The first line of a summary says what was compared with what; one with nothing never tells of no loss."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from event_store.errors import ConfigurationError
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.compared import Compared, nothing, program_of, real_state
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.comment import join
from event_store_infra.preview.report.summary import render
from event_store_infra.preview.review import review

TOPIC = "gcp:pubsub/topic:Topic"
STACK = "pulumi:pulumi:Stack"
MADE = "2026-03-01T10:00:00.123456789Z"
UPDATED = datetime(2026, 11, 30, 8, 12, tzinfo=UTC)
NOTHING = "compared with nothing, so this says nothing of a loss"


def _dated(op: str, kind: str = TOPIC, *, modified: str = MADE) -> dict[str, Any]:
    state = {"custom": kind != STACK, "id": "a", "inputs": {}, "created": MADE, "modified": modified}
    return {
        "op": op,
        "urn": f"urn:pulumi:prod::store::{kind}::{op}",
        **({} if op == "create" else {"oldState": state}),
        **({} if op == "delete" else {"newState": state}),
    }


def _text(*steps: dict[str, Any], same: int = 0, error: str = "") -> str:
    counts = {"same": same + sum(each["op"] == "same" for each in steps)}
    for each in steps:
        counts[each["op"]] = counts.get(each["op"], 0) + (each["op"] != "same")
    errors = [{"severity": "error", "message": error}] if error else []
    return json.dumps(
        {"steps": steps, "changeSummary": {k: n for k, n in counts.items() if n}, "diagnostics": errors}
    )


def _heading(text: str) -> str:
    plan = Plan.parse(text)
    return render("prod", plan, judge(plan)).splitlines()[0]


@pytest.mark.parametrize("root", ["create", "same"])
def test_a_plan_that_only_makes_things_was_compared_with_nothing(root: str) -> None:
    """As the second stack of a live project, whose every name is taken: a state of which has only itself."""
    heading = _heading(_text(_dated(root, STACK), _dated("create"), _dated("create")))

    assert heading == f"## `prod`: {NOTHING}: each of its resources is new"


@pytest.mark.parametrize("op", ["same", "update", "delete", "refresh"])
def test_whatever_stands_is_compared_with(op: str) -> None:
    """One unchanged, changed, deleted or refreshed resource is a state, and its time the least age."""
    text = _text(_dated("same", STACK), _dated("create"), _dated(op, modified="2026-11-30T08:12:59+00:00"))
    listed, counted = _heading(text), _heading(_text(_dated("same", STACK), _dated("create"), same=1))

    assert "(compared with a state of 2026-11-30 08:12 UTC or later" in listed
    assert ("read again from Google just now" in listed) == (op == "refresh")
    assert counted == "## `prod`: loses no data (compared with a state of 2026-03-01 10:00 UTC or later)"


def test_a_refresh_does_not_make_a_state_young() -> None:
    """The engine moves the time of what has changed outside of Pulumi to now: what a refresh found counts."""
    text = _text(_dated("same", STACK), _dated("refresh"), _dated("update", modified="2026-12-01T08:12:00Z"))

    assert "a state of 2026-03-01 10:00 UTC or later, read again" in _heading(text)


def test_a_preview_that_failed_early_says_nothing_of_a_new_stack() -> None:
    """A program that ends before its first resource has not shown that there are none."""
    assert "the preview failed (compared with a state" in _heading(_text(_dated("same", STACK), error="x"))
    assert "the preview failed (compared with nothing" in _heading(_text(_dated("create", STACK), error="x"))


def test_a_refusal_stays_one_whatever_it_was_compared_with() -> None:
    """What takes the rights of others away is refused even as it is made."""
    heading = _heading(_text(_dated("create", "gcp:projects/iAMPolicy:IAMPolicy")))

    assert heading.startswith(f"## `prod`: refused, 1 change would lose data ({NOTHING}")


@pytest.mark.parametrize(
    ("compared", "expected"),
    [
        (
            real_state("gs://b", UPDATED, refreshed=False),
            "compared with the real state of 2026-11-30 08:12 UTC in `gs://b`",
        ),
        (
            real_state("gs://b", UPDATED, refreshed=True),
            "compared with the real state of 2026-11-30 08:12 UTC in `gs://b`, read again from Google",
        ),
        (
            real_state("gs://b", None, refreshed=False),
            "compared with the real state of 2026-03-01 10:00 UTC or later in `gs://b`",
        ),
        (
            program_of("origin/main", "0123456789abcdef"),
            "compared with the program of `origin/main` at `0123456789ab` on the local Google Cloud",
        ),
    ],
)
def test_who_made_the_preview_says_more_than_the_plan(compared: Compared, expected: str) -> None:
    """Backend, age and reference come from them, what else is known from the plan."""
    told = Plan.parse(_text(_dated("same", STACK), _dated("update"))).compared

    assert str(compared.seen_in(told)).startswith(expected)


def test_an_empty_state_is_nothing(tmp_path: Path) -> None:
    """A stack that was made and never brought up compares with nothing, whichever backend has it."""
    compared = real_state("gs://b", None, refreshed=False)
    review("prod", _text(_dated("create", STACK), _dated("create")), tmp_path / "s.md", compared=compared)
    heading = (tmp_path / "s.md").read_text().splitlines()[0]

    assert heading == f"## `prod`: {NOTHING}: the real state in `gs://b` has no resources"


@pytest.mark.parametrize(
    "url",
    ["postgres://me:secret@host/db?sslkey=secret", "s3://bucket?token=secret#secret", "http://secret@[::1/x"],
)
def test_a_backend_s_password_is_not_shown(url: str) -> None:
    """The URL of a backend is on pull requests, in logs and in errors."""
    assert "secret" not in str(real_state(url, UPDATED, refreshed=False))


@pytest.mark.parametrize(
    "hostile",
    ["x`</details>@octocat\n# forged", "`: refused", ": refused", "a `: loses data", "\u202egs://x", "::x"],
)
def test_no_backend_and_no_branch_breaks_the_first_line(hostile: str) -> None:
    """Whatever they are called, the first line is one, and the outcome is told by ours alone."""
    told = Plan.parse(_text(_dated("same", STACK), _dated("update"))).compared
    for compared in (
        real_state(hostile, UPDATED, refreshed=True),
        real_state(f"gs://{hostile}", UPDATED, refreshed=True),
        program_of(hostile, hostile),
        nothing(str(program_of(hostile, "x"))),
    ):
        line = str(compared.seen_in(told))
        outside = "".join(line.split("`")[::2])
        joined = join(
            {"a": f"## `a`: loses no data ({line})\n", "b": f"## `b`: refused, 1 change ({line})\n"}
        )

        assert len(line.splitlines()) == 1
        assert line.count("`") % 2 == 0
        assert not {"octocat", "forged", "refused", "loses"} & set(outside.replace("@", " ").split())
        assert joined.index("## `b`") < joined.index("## `a`")


def test_a_stack_s_name_is_no_outcome() -> None:
    """The comment ranks by what follows the stack's name, also by one which reads as an outcome."""
    summaries = {
        "x": "## `x: refused`: no change (compared with a state)\n",
        "y": f"## `: y`: {NOTHING}: each of its resources is new\n",
        "z": "## `no change`: refused, 1 change would lose data (compared with a state in `a: b`)\n",
    }
    joined = join(summaries)

    assert joined.index("## `no change`") < joined.index("## `: y`") < joined.index("## `x: refused`")


@pytest.mark.parametrize("time", ["yesterday", 7, {}, ["2026"]])
def test_a_time_that_is_none_is_no_plan(time: object) -> None:
    """It is one message, as all else that the engine does not write."""
    step = _dated("update")
    step["oldState"]["modified"] = time or "x"

    with pytest.raises(ConfigurationError, match="this is no plan"):
        Plan.parse(_text(step))
