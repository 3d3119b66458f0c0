"""The comment shows what is refused first, and no text of others breaks or forges any of it."""

import json
from typing import Any

import pytest

from event_store.errors import ConfigurationError
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.comment import join
from event_store_infra.preview.report.summary import LONGEST, render
from event_store_infra.preview.review import review

HOSTILE = "`</details>@octocat\n# forged <img src=x>\r\n```\n::add-mask::x\u202e[a](http://b) | **c**"
FILLED = {"create": "to create\n" * 20_000, "refused": "refused, 1 change would lose data"}


def _hostile(*, op: str, kind: str, path: str = "name") -> dict[str, Any]:
    """Return a step of which all that others can choose is hostile."""
    state = {"custom": True, "id": HOSTILE, "inputs": {path: HOSTILE}, "protect": True}
    parent = f"urn:pulumi:prod::store::event-store:infra:Bus::{HOSTILE}"
    return {
        "op": op,
        "urn": f"urn:pulumi:prod::store::{kind}::{HOSTILE}",
        "oldState": state | {"parent": parent},
        "newState": state | {"parent": parent, "inputs": {path: f"{HOSTILE}2"}},
        "detailedDiff": {path: {"kind": "update-replace"}, HOSTILE: {"kind": "update"}},
    }


def _text(*steps: dict[str, Any]) -> str:
    config = {"event-store:acknowledged": json.dumps({HOSTILE: "delete", f"x {HOSTILE}": "delete"})}
    counts: dict[str, int] = {"same": 1}
    for each in steps:
        counts[each["op"]] = counts.get(each["op"], 0) + 1
    errors = [{"severity": "error", "message": HOSTILE}]
    return json.dumps({"steps": steps, "changeSummary": counts, "config": config, "diagnostics": errors})


def _outside_of_code(summary: str) -> str:
    """Return what GitHub reads as Markdown: all but code in a line and blocks of code."""
    lines, is_code = [], False
    for line in summary.splitlines():
        is_fence = line.startswith("```")
        is_code ^= is_fence
        if not is_code and not is_fence:
            lines.append("".join(line.split("`")[::2]))
            assert line.count("`") % 2 == 0, line
    assert not is_code
    return "\n".join(lines)


@pytest.mark.parametrize("op", ["delete", "replace", "update", "melt"])
@pytest.mark.parametrize(
    "kind", ["gcp:pubsub/topic:Topic", "gcp:sql/databaseInstance:DatabaseInstance", HOSTILE.replace(":", "")]
)
def test_no_text_of_others_is_markdown(op: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, id, type, component, path, value, key and error: each stays code, in summary and log."""
    text = _text(_hostile(op=op, kind=kind), _hostile(op="create", kind=kind))
    summary = render(HOSTILE, Plan.parse(text), judge(Plan.parse(text)))
    read = _outside_of_code(summary)
    with pytest.raises(ConfigurationError) as refusal:
        review("prod", text)
    logged = f"{capsys.readouterr().out}\nerror: {refusal.value}"

    assert "octocat" in summary
    for each in ("octocat", "forged", "<img", "::add-mask", "http://b"):
        assert each not in read
    assert read.count("<details>") == read.count("</details>") == 1
    assert "\u202e" not in summary
    assert not any(line.lstrip().startswith(("::", "# forged")) for line in logged.splitlines())


@pytest.mark.parametrize("text", ["", "`", "```", " ", "\n", "a`b", HOSTILE])
def test_any_text_is_one_piece_of_code(text: str) -> None:
    """Between two backticks there is none, and no line's end; even nothing is a piece."""
    assert code(text)[0] == code(text)[-1] == "`"
    assert code(text).count("`") == len("``")
    assert len(code(text)) > len("``")
    assert len(code(text).splitlines()) == 1


def test_a_refusal_comes_first_whatever_the_others_say() -> None:
    """Thousands of creates of one stack leave the refusals of all others whole."""
    summaries = {
        "dev": f"## `dev`: loses no data\n\n{FILLED['create']}",
        "prod": f"## `prod`: {FILLED['refused']}\n\nthe topic\n",
        "staging": f"## `staging`: {FILLED['refused']}\n\n{FILLED['create']}",
    }
    comment = join(summaries)

    assert len(comment) <= LONGEST
    assert comment.index("## `prod`") < comment.index("## `staging`") < comment.index("## `dev`")
    assert "the topic" in comment


def test_a_stack_without_a_summary_has_failed() -> None:
    """A stack whose job ended before its summary, or wrote nothing, is named before those that pass."""
    comment = join({"dev": "## `dev`: no change\n", "prod": ""}, ["dev", "staging", "prod"])

    assert comment.index("## `prod`: the preview failed") < comment.index("## `dev`: no change")
    assert "## `staging`: the preview failed\n\nIts job ended without a summary" in comment


def test_the_first_line_alone_says_the_outcome() -> None:
    """A summary that only speaks of a refusal is no refusal."""
    summaries = {"a": "## `a`: no change\n\n`: refused\n", "b": "## `b`: refused, 1 change\n"}

    assert join(summaries).index("## `b`") < join(summaries).index("## `a`")
