"""The verdict on a plan: may it be carried out, and if not, what would be lost."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from infra.preview.acknowledgement import acknowledged, is_freed, unused
from infra.preview.obstacles import Obstacle, obstacles
from infra.preview.plan import Change, Plan, Step
from infra.preview.spared import reason_to_spare
from infra.preview.stakes import API, SERVICE, UNKNOWN_OPERATION, Stake, stake_in, stake_in_grants

# The engine's operations, by what they do to what stands already. One that is in no line here is of an engine
# newer than this guard, and cannot be acknowledged.
_HARMLESS: Final = frozenset(
    {
        *("create", "update", "import", "diff", "extend-parameterize"),
        # Of resources that the program only looks at, which Pulumi neither makes nor deletes.
        *("read", "discard", "discard-replaced"),
    }
)
_DANGEROUS: Final[Mapping[str, str]] = {
    "delete": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "read-replacement": "replace",
    "import-replacement": "replace",
    "remove-pending-replace": "replace",
    # Of what takes the rights of others away as it is made, or changed.
    "create": "create",
    "update": "update",
}
# What keeps data safe: a change to less of it is named, but not refused.
_SAFEGUARD: Final = re.compile(
    r"deletionProtection|deletionProtectionEnabled|retainBackupsOnDelete|messageRetentionDuration"
    r"|enabled|pointInTimeRecoveryEnabled|transactionLogRetentionDays|retainedBackups|availabilityType"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A step that would lose data.

    Attributes:
        step: The step.
        stake: What would be lost.
        deed: `replace` or `delete`; the engine's word for one that this guard does not know.
        acknowledged: The stack's file names it.
    """

    step: Step
    stake: Stake
    deed: str
    acknowledged: bool

    @property
    def can_be_acknowledged(self) -> bool:
        """Tell whether a line in the stack's file would let it pass."""
        return self.deed in _DANGEROUS.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the guard says of a plan.

    Attributes:
        findings: What would lose data, in the engine's order.
        spared: What goes without a loss although its type holds data, with the reason, a sentence.
        obstacles: What Google would refuse.
        weakened: Changes to less of what keeps data safe, with the step that each is of.
        stale: Acknowledgements that free nothing, as `key: deed`, each with what is wrong with it.
        errors: Why the preview itself failed.
    """

    findings: tuple[Finding, ...]
    spared: tuple[tuple[Step, str], ...]
    obstacles: tuple[Obstacle, ...]
    weakened: tuple[tuple[Step, Change], ...]
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


def judge(plan: Plan) -> Verdict:
    """Judge a plan by the acknowledgements in its stack's own configuration.

    Raises:
        ConfigurationError: The acknowledgements are wrong.
    """
    lines = acknowledged(plan.config)
    found = tuple(_findings(plan, lines))
    reasons = [reason_to_spare(each.step, plan) if each.can_be_acknowledged else "" for each in found]
    findings = tuple(each for each, reason in zip(found, reasons, strict=True) if not reason)
    deeds = [(each.step, each.deed) for each in findings if each.can_be_acknowledged]
    return Verdict(
        findings=findings,
        spared=tuple((each.step, why) for each, why in zip(found, reasons, strict=True) if why),
        obstacles=obstacles(plan),
        weakened=tuple(_weakened(plan)),
        stale=tuple(unused(lines, deeds, plan)),
        errors=plan.errors,
    )


def _findings(plan: Plan, lines: Mapping[str, str]) -> Iterator[Finding]:
    for step in plan.steps:
        stake = _stake(step)
        if stake is not None:
            deed = _DANGEROUS.get(step.op, step.op)
            yield Finding(
                step=step,
                stake=stake,
                deed=deed,
                acknowledged=is_freed(step, deed, lines, plan.steps),
            )


def _stake(step: Step) -> Stake | None:
    """Return what is lost by a step; None if that is nothing."""
    if not step.custom:
        return None
    if (stake := stake_in_grants(step.type)) is not None:
        return stake if step.op in {"create", "update"} or step.op not in _HARMLESS else None
    if step.op in _HARMLESS:
        return None
    if step.op not in _DANGEROUS:
        return stake_in(step.type) or UNKNOWN_OPERATION
    if step.type == SERVICE and {False} != _disables(step):
        return API
    return stake_in(step.type)


def _disables(step: Step) -> set[object]:
    """Return what the inputs of an API say about disabling it at its end; nothing stands for the default."""
    given = {each["disableOnDestroy"] for each in (step.old, step.outputs) if "disableOnDestroy" in each}
    return given or {None}


def _weakened(plan: Plan) -> Iterator[tuple[Step, Change]]:
    for step in plan.steps:
        if step.op == "update" and stake_in(step.type) is not None:
            for change in step.changes:
                if _SAFEGUARD.fullmatch(change.path.rsplit(".", maxsplit=1)[-1]) and _is_less(change):
                    yield step, change


def _is_less(change: Change) -> bool:
    """Tell whether a safeguard ends or shrinks: true to false, a smaller number, nothing any more."""
    old, new = (json.loads(each) if each and each[0] != "(" else None for each in (change.old, change.new))
    if old == "REGIONAL":
        return bool(new != old)
    numbers = [
        re.fullmatch(r"(\d+)s?", str(int(each) if isinstance(each, bool) else each)) for each in (old, new)
    ]
    if numbers[0] is None:
        return False
    return numbers[1] is None or int(numbers[1][1]) < int(numbers[0][1])
