"""The verdict on a plan: may it be carried out, and if not, what would be lost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from event_store_infra.preview.effects import table_of
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Severity, Told, less_safe, loses
from event_store_infra.preview.effects.told import of_its_changes, of_its_end
from event_store_infra.preview.judging.acknowledgement import acknowledged, is_freed, unused
from event_store_infra.preview.judging.cause import ways_back
from event_store_infra.preview.judging.context import goes_with, in_context
from event_store_infra.preview.judging.emptied import of_an_empty_one
from event_store_infra.preview.judging.obstacles import Obstacle, obstacles
from event_store_infra.preview.judging.relieved import Relieved
from event_store_infra.preview.judging.spared import reason_to_spare
from event_store_infra.preview.plan.paths import parsed, pattern
from event_store_infra.preview.plan.plan import Change, Plan, Step

# The engine's operations, by what they do to what stands already. One that is in no line here is of an engine
# newer than this guard, and cannot be acknowledged.
_HARMLESS: Final = frozenset(
    {
        *("create", "update", "import", "diff", "extend-parameterize"),
        # Of resources that the program only looks at, which Pulumi neither makes nor deletes.
        *("read", "discard", "discard-replaced"),
    }
)
# Those of them that leave everything as it is.
_LOOKS: Final = _HARMLESS - {"create", "update"}
_DANGEROUS: Final[Mapping[str, str]] = {
    "delete": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "read-replacement": "replace",
    "import-replacement": "replace",
    "remove-pending-replace": "replace",
}
_UNKNOWN_OPERATION: Final = loses(
    "what, nobody can say: this guard does not know the operation",
    "let the guard learn it first.",
    "infra/event_store_infra/preview/judging/guard.py",
)
_UNKNOWN_MAKING: Final = less_safe(
    "nobody has said what the making of one does: no table in event_store_infra/preview/effects has its type",
    "event_store_infra/preview/effects",
)
# By the option of the engine's own that is taken away.
_UNGUARDED: Final[Mapping[str, Effect]] = {
    "protect": less_safe(
        "Pulumi no longer refuses to delete it",
        "https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
    ),
    "retainOnDelete": less_safe(
        "it no longer stays in Google Cloud once the program does not declare it",
        "https://www.pulumi.com/docs/iac/concepts/resources/options/retainondelete/",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A step that does what no later update takes back.

    Attributes:
        step: The step.
        effect: The worst that it does.
        deed: `replace`, `delete`, `create`, or `update` and the properties; the engine's word for an
            operation that this guard does not know.
        told: The changed properties that do it; empty for what the deed itself does.
        goes_with: The name of the resource that it is in, which the plan ends as well; empty for none.
        acknowledged: The stack's file names it.
    """

    step: Step
    effect: Effect
    deed: str
    told: tuple[Told, ...] = ()
    goes_with: str = ""
    acknowledged: bool = False

    @property
    def can_be_acknowledged(self) -> bool:
        """Tell whether a line in the stack's file would let it pass."""
        return self.step.op in _DANGEROUS or self.step.op in _HARMLESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a step stops, or makes less safe: named, and not refused.

    Attributes:
        step: The step.
        effect: What it does.
        change: The property; None for what the step itself does.
    """

    step: Step
    effect: Effect
    change: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the guard says of a plan.

    Attributes:
        findings: What no later update takes back, in the engine's order.
        spared: What goes without a loss although its type holds data, with the reason, a sentence.
        obstacles: What Google would refuse.
        notes: What stops somebody or is less safe, the worse first.
        stale: Acknowledgements that free nothing, as `key: deed`, each with what is wrong with it.
        errors: Why the preview itself failed.
    """

    findings: tuple[Finding, ...]
    spared: tuple[tuple[Step, str], ...]
    obstacles: tuple[Obstacle, ...]
    notes: tuple[Note, ...]
    stale: tuple[tuple[str, str], ...]
    errors: tuple[str, ...]

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What nobody has acknowledged."""
        return tuple(each for each in self.findings if not each.acknowledged)

    @property
    def passes(self) -> bool:
        """Tell whether the plan may be carried out."""
        return not self.refused and not self.obstacles and not self.errors

    def noted(self, severity: Severity) -> tuple[Note, ...]:
        """Return the notes of one severity."""
        return tuple(each for each in self.notes if each.effect.severity == severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A step and what it does.

    Attributes:
        step: The step.
        making: What it does that there is one, whatever was before.
        operation: What it does to what was before.
        told: What its changed properties do; empty for anything but an update.
    """

    step: Step
    making: Effect
    operation: Effect
    told: tuple[Told, ...]


def judge(plan: Plan) -> Verdict:
    """Judge a plan by the acknowledgements in its stack's own configuration.

    Raises:
        ConfigurationError: The acknowledgements are wrong.
    """
    lines = acknowledged(plan.config)
    judged = [_judged(each, plan) for each in plan.steps]
    found = tuple(_findings(judged, plan, lines))
    reasons = [reason_to_spare(each.step, plan) if each.can_be_acknowledged else "" for each in found]
    findings = tuple(each for each, reason in zip(found, reasons, strict=True) if not reason)
    deeds = [(each.step, each.deed) for each in findings if each.can_be_acknowledged]
    return Verdict(
        findings=findings,
        spared=tuple((each.step, why) for each, why in zip(found, reasons, strict=True) if why),
        obstacles=obstacles(plan),
        notes=tuple(sorted(_notes(judged, plan), key=lambda each: -each.effect.severity)),
        stale=tuple(unused(lines, deeds, plan)),
        errors=plan.errors,
    )


def _judged(step: Step, plan: Plan) -> _Judged:
    told = of_its_changes(step) if step.custom and step.op == "update" else ()
    return _Judged(step=step, making=_of_the_making(step), operation=_of_the_operation(step, plan), told=told)


def _findings(judged: Sequence[_Judged], plan: Plan, lines: Mapping[str, str]) -> Iterator[Finding]:
    back = ways_back(plan)
    for each in judged:
        if (found := _finding(each)) is not None:
            container = goes_with(each.step, plan)
            yield replace(
                found,
                effect=replace(found.effect, instead=back.get(each.step.urn, found.effect.instead)),
                goes_with=container.name if container is not None else "",
                acknowledged=is_freed(each.step, found.deed, lines, plan.steps),
            )


def _finding(judged: _Judged) -> Finding | None:
    """Return what a step does that no later update takes back; None if that is nothing."""
    step = judged.step
    told = tuple(each for each in judged.told if each.effect.severity.is_refused)
    if told:
        worst = max((each.effect for each in told), key=lambda effect: effect.severity)
        paths = sorted({pattern(parsed(each.change.path)) for each in told})
        return Finding(step=step, effect=worst, deed=f"update {', '.join(paths)}", told=told)
    effect = max(judged.making, judged.operation, key=lambda each: each.severity)
    deed = _DANGEROUS.get(step.op, step.op)
    return Finding(step=step, effect=effect, deed=deed) if effect.severity.is_refused else None


def _notes(judged: Sequence[_Judged], plan: Plan) -> Iterator[Note]:
    # Told beside what the same step stops: a grant to everybody takes the place of one to somebody.
    yield from (Note(step=each.step, effect=each.making) for each in judged if _is_noted(each.making))
    relieved = Relieved(plan)
    yield from (each for each in _all_notes(judged, plan) if not relieved.spares(each.step, each.effect))


def _all_notes(judged: Sequence[_Judged], plan: Plan) -> Iterator[Note]:
    for each in judged:
        if _is_noted(each.operation):
            yield Note(step=each.step, effect=each.operation)
        for told in each.told:
            if not told.effect.severity.is_refused:
                yield Note(step=each.step, effect=told.effect, change=told.change)
    for step in (*plan.steps, *(each for each in plan.standing if each.unguarded)):
        # What may go without a loss, as a replica, is no less safe without a guard.
        if of_its_end(step).severity > Severity.HARMLESS and not reason_to_spare(step, plan):
            yield from (Note(step=step, effect=_UNGUARDED[each]) for each in step.unguarded)


def _is_noted(effect: Effect) -> bool:
    return not effect.severity.is_refused and effect.severity > Severity.HARMLESS


def _of_the_making(step: Step) -> Effect:
    """Return what it does that there is one, whatever was before."""
    if not step.custom:
        return HARMLESS
    table = table_of(step.type)
    if table is None:
        return _UNKNOWN_MAKING if step.op == "create" else HARMLESS
    return HARMLESS if step.op in _LOOKS else table.of_its_making(step)


def _of_the_operation(step: Step, plan: Plan) -> Effect:
    """Return what it does to what was before."""
    if not step.custom:
        return HARMLESS
    if step.op == "create":
        return of_an_empty_one(step, plan)
    if step.op in _HARMLESS:
        return HARMLESS
    effect = in_context(of_its_end(step), step, plan)
    if step.op not in _DANGEROUS:
        return effect if effect.severity.is_refused else _UNKNOWN_OPERATION
    # What stays in Google Cloud goes on as it is, though the stack no longer finds it.
    stays = step.kept and step.op == "delete"
    return HARMLESS if stays and effect.severity < Severity.LOSES else effect
