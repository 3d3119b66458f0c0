"""Acknowledged losses: one line of the stack's file frees one deed on one resource.

A line names a resource by kind and name, or by URN. A name alone frees nothing: a topic and a subscription
may have one name in the program, and whoever wrote it may have meant the other.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, Self

import yaml

from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import Plan, Step
from event_store_infra.settings import Settings
from event_store_infra.settings.key import parse
from event_store_infra.settings.stack import NAMESPACE, decoded

KEY: Final = f"{NAMESPACE}acknowledged"
_LONGEST_KEY: Final = 1000  # less than YAML has for one on a line: https://yaml.org/spec/1.2.2/#742
# What YAML takes for text without quotes.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./:-]*[A-Za-z0-9] [A-Za-z0-9][A-Za-z0-9_.-]*")


def acknowledged(config: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the deed that each line of a stack's file acknowledges.

    Args:
        config: The stack's configuration, as the plan has it.

    Raises:
        ConfigurationError: The acknowledgements are no mapping, or one is of no deed.
    """
    text = config.get(KEY)
    value = decoded(text) if isinstance(text, str) else text
    given = {} if value is None else value  # a key whose lines were all taken out
    return parse(Settings, {"acknowledged": given}, NAMESPACE, project="", region="").acknowledged


def kind(resource_type: str) -> str:
    """Return `pubsub.Topic` for `gcp:pubsub/topic:Topic`; a type that is not Google's as it is."""
    provider, _, rest = resource_type.partition(":")
    module, _, name = rest.partition(":")
    return f"{module.partition('/')[0]}.{name}" if provider == "gcp" and name else resource_type


def key_of(step: Step, steps: tuple[Step, ...]) -> str:
    """Return what a line names a step by: kind and name, or the URN if another resource has both.

    Args:
        step: The step.
        steps: All steps of the plan.
    """
    key = f"{kind(step.type)} {step.name}"
    return step.urn if len(_Resources.of(steps).urns(key)) > 1 else key


def is_freed(step: Step, deed: str, lines: Mapping[str, str], steps: tuple[Step, ...]) -> bool:
    """Tell whether a line acknowledges this deed on this resource.

    Args:
        step: The step.
        deed: What it does, as in `delete`.
        lines: What is acknowledged.
        steps: All steps of the plan: a line that fits two of its resources frees neither.
    """
    return deed in (lines.get(step.urn), lines.get(key_of(step, steps)))


def block(deeds: Mapping[str, str]) -> str:
    """Return the lines of a stack's file, under `config:`, that acknowledge all deeds, by key."""
    return "\n".join((f"  {KEY}:", *(_line(_text(key), deed) for key, deed in deeds.items())))


def unused(
    lines: Mapping[str, str], deeds: Sequence[tuple[Step, str]], plan: Plan
) -> Iterator[tuple[str, str]]:
    """Return each line that frees nothing, as `key: deed`, with what is wrong with it.

    Args:
        lines: What is acknowledged.
        deeds: The steps of the plan that can be acknowledged, each with its deed.
        plan: The plan.
    """
    by_urn: dict[str, list[tuple[Step, str]]] = {}
    by_name: dict[str, list[tuple[Step, str]]] = {}
    for each in deeds:
        by_urn.setdefault(each[0].urn, []).append(each)
        by_name.setdefault(each[0].name, []).append(each)
    for key, deed in lines.items():
        urns = _Resources.of(plan.steps).urns(key)
        found = [each for urn in urns for each in by_urn.get(urn, ())]
        if len(urns) > 1 and found:
            yield f"{key}: {deed}", f"fits {len(urns)} resources and frees none: write the URN"
        elif found and all(each != deed for _, each in found):
            yield f"{key}: {deed}", f"says {code(deed)}, but the plan would {code(found[0][1])}"
        elif not found:
            yield f"{key}: {deed}", _fault(key, by_name, plan)


def _fault(key: str, by_name: Mapping[str, Sequence[tuple[Step, str]]], plan: Plan) -> str:
    """Return why a line fits nothing that has to be acknowledged."""
    name = key.rpartition(" ")[2]
    meant = ", ".join(f"{key_of(step, plan.steps)}: {deed}" for step, deed in by_name.get(name, ()))
    if meant:
        wrong = "names no kind of resource" if name == key else "names another kind of resource"
        return f"{wrong}, and frees nothing; the plan asks for {code(meant)}"
    return f"matches nothing: remove it from {KEY}"


class _Resources:
    """The resources of a plan, by all that a line may name one by.

    Args:
        steps: All steps of the plan.
    """

    _last: ClassVar[tuple[tuple[Step, ...], Self] | None] = None

    def __init__(self, steps: Iterable[Step]) -> None:
        self._urns: dict[str, set[str]] = {}
        for step in steps:
            for key in (step.urn, f"{kind(step.type)} {step.name}"):
                self._urns.setdefault(key, set()).add(step.urn)

    @classmethod
    def of(cls, steps: tuple[Step, ...]) -> Self:
        """Return those of a plan; the last one's are kept, since every finding of a plan asks for them."""
        if cls._last is None or cls._last[0] is not steps:
            cls._last = steps, cls(steps)
        return cls._last[1]

    def urns(self, key: str) -> set[str]:
        """Return the URNs of the resources that a key names."""
        return self._urns.get(key, set())


def _line(text: str, deed: str) -> str:
    return f"    {text}: {deed}" if len(text) <= _LONGEST_KEY else f"    ? {text}\n    : {deed}"


def _text(key: str) -> str:
    quoted = str(yaml.safe_dump(key, default_style='"', width=math.inf)).rstrip()
    return key if _PLAIN.fullmatch(key) else quoted
