"""The guard on real plans of real edits: each has the right verdict, headline and words.

The plans are the engine's, kept as files; `make plans` makes them anew.
"""

import asyncio
import json
import re
import sys
import tempfile
from pathlib import Path

import pytest

from event_store_infra.preview.judging.guard import Verdict, judge
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.edits import BASES, EDITS
from tests.event_store_infra.preview.edits.edit import Edit
from tests.event_store_infra.preview.edits.plans import FOLDER, kept, path_of
from tests.event_store_infra.preview.edits.recorder import PROGRAM, standing
from tools import ROOT

SECONDS = 300
# Recorded anew at each run: of a replacement, of protection alone, and of what the engine itself refuses.
TRIED = (
    "prod",
    (
        "filter-a-subscription-of-a-protected-stack",
        "unprotect-a-stack",
        "remove-the-replica-of-a-protected-stack",
    ),
)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(each, id=each.name, marks=pytest.mark.xfail(reason=each.pending, strict=True))
        if each.pending
        else pytest.param(each, id=each.name)
        for each in EDITS
    ],
)
def test_an_edit_has_the_right_verdict(edit: Edit) -> None:
    """What is refused, what the first line says, and what the summary has to say or must not say."""
    stack, verdict, summary = _review(edit)

    assert summary.partition("\n")[0].removeprefix(f"## `{stack}`: ").startswith(edit.headline)
    assert {(each.deed, each.step.name) for each in verdict.refused} == edit.refused
    assert [words for words in edit.says if words not in summary] == []
    assert [words for words in edit.omits if words in summary] == []


def _review(edit: Edit) -> tuple[str, Verdict, str]:
    plan = Plan.parse(kept(edit))
    verdict = judge(plan)
    stack = edit.stack or BASES[edit.base].stack
    return stack, verdict, render(stack, plan, verdict)


@pytest.mark.parametrize("edit", EDITS, ids=lambda each: each.name)
def test_no_text_of_others_breaks_a_summary(edit: Edit) -> None:
    """Names, values and errors stay code, also of those who try to notify somebody or to forge a heading."""
    _, _, summary = _review(edit)
    prose = re.sub(r"`[^`\n]+`", "", re.sub(r"^```.*?^```", "", summary, flags=re.DOTALL | re.MULTILINE))

    assert "octocat" not in prose
    assert "forged" not in prose
    assert prose.count("<details>") == prose.count("</details>") <= 1


@pytest.mark.parametrize("edit", EDITS, ids=lambda each: each.name)
def test_what_has_to_be_refused_is_in_the_plan(edit: Edit) -> None:
    """An expectation that is pending is of steps that the plan really has."""
    steps = {(each["op"], each["urn"].split("::")[3]) for each in json.loads(kept(edit)).get("steps", ())}
    assert {(deed.partition(" ")[0], name) for deed, name in edit.refused} - steps == set()


@pytest.mark.parametrize("edit", [each for each in EDITS if each.program], ids=lambda each: each.name)
def test_a_change_of_the_program_still_fits(edit: Edit) -> None:
    """What it replaces is in the file once, so that its plan can be made anew."""
    for each in edit.program:
        assert (ROOT / PROGRAM / each.file).read_text(encoding="utf-8").count(each.old) == 1


def test_every_plan_is_of_an_edit() -> None:
    """No edit is there twice or without a plan, and no plan without an edit."""
    names = [(each.base, each.name) for each in EDITS]
    assert len(names) == len({*names})
    assert {path_of(each) for each in EDITS} == {*FOLDER.rglob("*.gz")}
    assert len({each.name for each in EDITS}) == len(EDITS)


@pytest.mark.parametrize("edit", EDITS, ids=lambda each: each.name)
def test_a_plan_says_nothing_of_the_machine_that_made_it(edit: Edit) -> None:
    """No path of it, which another machine would write otherwise."""
    text = kept(edit)
    folders = {str(ROOT), str(Path.home()), tempfile.gettempdir(), sys.base_prefix}
    assert not [each for each in folders if each in text]


async def test_the_engine_still_plans_what_was_kept(tmp_path: Path) -> None:
    """Of a few edits the real engine's plan is the one in the file: if not, `make plans` is due."""
    name, wanted = TRIED
    async with asyncio.timeout(SECONDS), standing(BASES[name], tmp_path) as recorder:
        for edit in EDITS:
            if edit.base == name and edit.name in wanted:
                assert await recorder.plan(edit) == json.loads(kept(edit)), f"make plans ARGS={edit.name}"
