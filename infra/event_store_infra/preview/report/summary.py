"""A plan and the verdict on it in Markdown, for a pull request and for a terminal."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

from event_store_infra.preview.effects import is_grant
from event_store_infra.preview.effects.effect import Effect, Severity
from event_store_infra.preview.judging.acknowledgement import KEY, block, key_of, kind
from event_store_infra.preview.judging.guard import Finding, Note, Verdict
from event_store_infra.preview.judging.obstacles import Obstacle
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import KNOWN_LATER, Change, Plan, Step
from event_store_infra.preview.report.difference import apart
from event_store_infra.preview.report.headline import headline, of_severity

LONGEST: Final = 60_000  # characters; GitHub refuses a comment of more than 65536
_LONGEST_VALUE: Final = 60
_NO_FACTS: Final[Mapping[str, Sequence[str]]] = MappingProxyType({})
_ORDER: Final = ("delete", "replace", "update", "create")
_TITLES: Final = {
    Severity.LOSES: "data would be lost",
    Severity.CUTS_OFF: "no later update would take it back",
}
_VERBS: Final = {
    Severity.LOSES: "loses",
    Severity.CUTS_OFF: "cuts off",
    Severity.STOPS: "stops",
    Severity.LESS_SAFE: "is less safe:",
}
_CUT: Final = "\n\n*The rest is too long for a comment: `make preview` prints all of it.*\n"


def render(stack: str, plan: Plan, verdict: Verdict, facts: Mapping[str, Sequence[str]] = _NO_FACTS) -> str:
    """Return the summary of a stack's plan.

    Args:
        stack: The name of the stack.
        plan: Its plan.
        verdict: The guard's verdict on it.
        facts: What else is known of what is there now, in Markdown, by URN.
    """
    danger = partial(_danger, facts=facts)
    parts = [f"## {code(stack)}: {headline(plan, verdict)}", _counts(plan)]
    parts += _section("The preview failed", (f"- {code(each)}" for each in verdict.errors))
    if verdict.errors:
        parts.append("The engine stopped there: what is listed below may not be all that would be lost.")
    for severity, title in _TITLES.items():
        parts += _section(f"Refused: {title}", map(danger, of_severity(verdict.refused, severity)))
    parts += _lines_to_paste(stack, plan, verdict)
    parts += _section("Refused: Google would not do it", map(_obstacle, verdict.obstacles))
    acknowledged = [each for each in verdict.findings if each.acknowledged]
    parts += _section("Acknowledged", map(danger, acknowledged))
    parts += _section("Stops somebody", _notes(verdict.noted(Severity.STOPS)))
    parts += _section("Less safe than before", _notes(verdict.noted(Severity.LESS_SAFE)))
    parts += _section("Goes without a loss", (_spared(*each) for each in verdict.spared))
    stale = (f"- {code(line)} {fault}" for line, fault in verdict.stale)
    parts += _section("Stale acknowledgements", stale)
    parts += _details(plan)
    return "\n\n".join(filter(None, parts)) + "\n"


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return a summary that fits into a comment, cut at the end of a line where it is too long."""
    if len(text) <= longest:
        return text
    kept = text[: longest - len(_CUT) - len("\n```\n</details>")].rpartition("\n")[0]
    lines = kept.splitlines()
    fence = "\n```" * (sum(each.startswith("```") for each in lines) % 2)
    unclosed = lines.count("<details>") - lines.count("</details>")
    return kept + fence + "\n</details>" * unclosed + _CUT


def _counts(plan: Plan) -> str:
    counts = Counter(step.op for step in plan.steps if step.custom)
    same = plan.counts.get("same", 0)
    said = [f"{count} to {_op(op)}" for op, count in sorted(counts.items(), key=lambda each: _order(each[0]))]
    return ", ".join([*said, f"{same} unchanged"]) + "."


def _order(op: str) -> tuple[int, str]:
    return (_ORDER.index(op) if op in _ORDER else -1, op)


def _section(title: str, lines: Iterator[str]) -> list[str]:
    listed = list(lines)
    return [f"### {title}", "\n".join(listed)] if listed else []


def _danger(finding: Finding, *, facts: Mapping[str, Sequence[str]]) -> str:
    step = finding.step
    lines = [f"- **{_op(finding.deed.partition(' ')[0])} {code(step.name)}** ({_about(step)})"]
    if finding.told:
        lines += [f"  - {_change(each.change)} {_does(each.effect)}" for each in finding.told]
    else:
        lines += [f"  - because {_reason(finding)}", f"  - {_does(finding.effect)}"]
    lines += [f"  - {each}" for each in facts.get(step.urn, ())]
    if step.kept:
        lines.append(f"  - {_stays(finding)}")
    if _is_held(finding):
        lines.append(
            "  - *protected*: the engine refuses it even when it is acknowledged; "
            + _unprotect(finding.deed, step)
        )
    if finding.acknowledged:
        return "\n".join(lines)
    lines.append(f"  - {_advice(finding)}")
    if not finding.can_be_acknowledged:
        lines.append(
            f"  - {code(finding.deed)} is an operation that this guard does not know: it must learn it first"
        )
    return "\n".join(lines)


def _stays(finding: Finding) -> str:
    step = finding.step
    if finding.goes_with:
        return f"its own deletion would keep it ({step.kept}), but {code(finding.goes_with)} takes it along"
    return f"stays in Google Cloud ({step.kept}), where the stack no longer finds it"


def _notes(notes: Iterable[Note]) -> Iterator[str]:
    """Say once what several resources of a kind have in common, as alerts that all go."""
    groups: dict[tuple[Effect, str, str, str], list[Note]] = {}
    for note in notes:
        path = note.change.path if note.change is not None else ""
        groups.setdefault((note.effect, note.step.type, note.step.op, path), []).append(note)
    return map(_note, groups.values())


def _note(alike: Sequence[Note]) -> str:
    first = alike[0]
    # What does not change itself is no longer protected.
    op = f", {_op(first.step.op)}" if first.step.op not in {"same", "refresh"} else ""
    change = (
        f": {_common([each.change for each in alike if each.change is not None])}" if first.change else op
    )
    kind = _kind(first.step.type) if len(alike) == 1 else f"{len(alike)} of {_kind(first.step.type)}"
    names = ", ".join(code(each.step.name) for each in alike)
    instead = f" Instead: {first.effect.instead}" if first.effect.instead else ""
    return f"- {names} ({kind}){change} {_does(first.effect)}.{instead}"


def _common(changes: Sequence[Change]) -> str:
    """Return a change; of several that differ the property alone, as the list of all changes has the rest."""
    return _change(changes[0]) if len(set(changes)) == 1 else code(changes[0].path)


def _does(effect: Effect) -> str:
    return f"{_VERBS[effect.severity]} {effect.what}"


def _lines_to_paste(stack: str, plan: Plan, verdict: Verdict) -> list[str]:
    """Return one block that acknowledges all that is refused, with what is acknowledged already."""
    if not any(each.can_be_acknowledged for each in verdict.refused):
        return []
    found = [each for each in verdict.findings if each.can_be_acknowledged]
    deeds = {key_of(each.step, plan.steps): each.deed for each in found}
    file = code(f"Pulumi.{stack.rpartition('/')[2]}.yaml")
    unprotect = "first unprotect what is *protected* above, then " if any(map(_is_held, found)) else ""
    asked = (
        f"If you accept what is refused, {unprotect}paste this under `config:` of {file}, in place of any "
        f"`{KEY}` there, and take it out again after the update:"
    )
    return [asked, f"```yaml\n{block(deeds)}\n```"]


def _is_held(finding: Finding) -> bool:
    """Tell whether the engine refuses a step by itself, as it does with the end of what is protected."""
    return finding.step.protected and finding.step.op not in ("create", "update")


def _spared(step: Step, reason: str) -> str:
    lines = [f"- **{_op(step.op)} {code(step.name)}** ({_kind(step.type)}): {reason}"]
    if step.protected:
        lines.append(f"  - protected: the engine refuses it; {_unprotect(step.op, step)}")
    return "\n".join(lines)


def _unprotect(deed: str, step: Step) -> str:
    freed = ", or " + code(f"pulumi state unprotect '{step.urn}'") if deed == "delete" else ""
    return f"set `event-store:protected: false` in an update of its own first{freed}"


def _obstacle(obstacle: Obstacle) -> str:
    step = obstacle.step
    return "\n".join(
        (
            f"- **{code(step.name)}** ({_about(step)})",
            f"  - {obstacle.reason}",
            f"  - instead: {obstacle.instead}",
        )
    )


def _advice(finding: Finding) -> str:
    if finding.deed == "delete" and finding.effect.before:
        return f"first: {finding.effect.before}"
    instead = dict.fromkeys(each.effect.instead for each in finding.told) or [finding.effect.instead]
    return f"instead: {'; '.join(each.removesuffix('.') for each in instead)}."


def _reason(finding: Finding) -> str:
    step = finding.step
    if step.gives_way_to:
        return f"the program imports {code(step.gives_way_to)} in its place (`import`)"
    forcing = [change for change in step.changes if change.replaces]
    if forcing:
        return "it cannot change in place: " + "; ".join(map(_change, forcing))
    if step.follows:
        return f"it refers to what is replaced: {', '.join(map(code, step.follows))}"
    if finding.deed == "delete":
        renamed = (
            "" if is_grant(step.type) else " by this name (if it was only renamed there, give it an alias)"
        )
        return f"the program no longer declares it{renamed}"
    if finding.deed == "create":
        return "the program declares a new one"
    return "the engine says so"


def _change(change: Change) -> str:
    if not change.old and not change.new:
        return code(change.path)  # the engine says so of what no input has, as the id
    old, new = apart(change.old, change.new, _LONGEST_VALUE)
    return f"{code(change.path)} {_value(old)} → {_value(new)}"


def _value(text: str) -> str:
    if not text:
        return "unset"
    if text == KNOWN_LATER:
        return text
    seconds = re.fullmatch(r'"(\d{4,9})s"', text)
    if seconds is None:
        return code(text)
    return f"{code(text)} ({str(timedelta(seconds=int(seconds[1]))).removesuffix(', 0:00:00')})"


def _details(plan: Plan) -> list[str]:
    """List all steps, by component."""
    groups: dict[str, list[Step]] = {}
    for step in plan.steps:
        if step.custom:
            groups.setdefault(step.component, []).append(step)
    if not groups:
        return []
    lines = [
        "<details>",
        f"<summary>{_all(sum(map(len, groups.values())))}, by component</summary>",
        "",
    ]
    for component, steps in sorted(groups.items()):
        lines += [
            f"**{code(component) if component else 'without a component'}**",
            "",
            *map(_line, steps),
            "",
        ]
    return ["\n".join([*lines, "</details>"])]


def _all(count: int) -> str:
    return f"All {count} changes" if count > 1 else "The change"


def _line(step: Step) -> str:
    changes: Sequence[str] = [_change(each) for each in step.changes]
    changed = f": {'; '.join(changes)}" if changes else ""
    return f"- {_op(step.op)} {code(step.name)} ({_kind(step.type)}){changed}"


def _about(step: Step) -> str:
    return f"{_kind(step.type)}, {code(step.id)}" if step.id else _kind(step.type)


def _kind(resource_type: str) -> str:
    """Return the kind of a type as it is where it is a word with dots, as any of Google's; else as code."""
    word = kind(resource_type)
    return word if re.fullmatch(r"[A-Za-z0-9.]+", word) else code(word)


def _op(op: str) -> str:
    return op if re.fullmatch(r"[a-z-]+", op) else code(op)
