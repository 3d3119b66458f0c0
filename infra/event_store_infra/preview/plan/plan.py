"""What the engine would do: the JSON of `pulumi preview --json`, parsed once into frozen values."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from event_store.errors import ConfigurationError
from event_store_infra.preview.markdown import code, one_line
from event_store_infra.preview.plan.compared import Compared, is_engine_s_own, time_of, told_by, type_of
from event_store_infra.preview.plan.paths import at, parsed

_UNCHANGED: Final = {"same", "refresh"}
# What the engine counts without listing it, or without listing all of it.
_UNLISTED: Final = {"same", "refresh", "read", "discard", "diff"}
# What needs nothing there before.
_OF_NOTHING: Final = {"same", "refresh", "create", "import", "read", "diff", "extend-parameterize"}
# Options of a resource by which the engine does not delete it.
_GUARDS: Final = ("protect", "retainOnDelete")
KNOWN_LATER: Final = "(known later)"
# The engine's mark of a value that it cannot know yet.
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One property that differs.

    Attributes:
        path: Where, as in `settings.tier`.
        old: The value as JSON; empty for none. The engine has blinded secrets already.
        new: The same of the program's value; `(known later)` for one that only the update can tell.
        replaces: The provider makes a new resource for it.
    """

    path: str
    old: str
    new: str
    replaces: bool = False

    @classmethod
    def of(cls, path: str, old: Any, new: Any, *, replaces: bool = False) -> "Change":
        """Return the change of a value; None is unset."""
        return cls(path=path, old=_shown(old), new=_shown(new), replaces=replaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the engine does with one resource.

    Attributes:
        op: The engine's word, as in `update`.
        urn: The resource.
        type: Its type, as in `gcp:pubsub/topic:Topic`.
        name: Its name in the program.
        component: The name of the component that it is part of; its own for a component, empty for none.
        id: What Google calls it; empty if it does not exist yet.
        custom: Whether a provider makes it; False for components, which are names only.
        changes: What differs.
        follows: The names of replaced resources that it refers to.
        gives_way_to: The id of the resource that the program imports in its place; empty for none.
        refers_to: The URNs of all resources that its inputs are made from.
        protected: Pulumi refuses to delete it.
        kept: Why it stays in Google Cloud although the plan deletes it; empty if it does not stay.
        old: Its inputs as they are; empty if it does not exist yet.
        new: Its inputs as they would be; empty if it goes.
        outputs: What the provider last read of it; empty if it does not exist yet.
        unguarded: The options of the engine's own that kept it from a deletion, and no longer will.
        created: When it came into the stack; None if it does not exist yet, or nobody says.
    """

    op: str
    urn: str
    type: str
    name: str
    component: str
    id: str
    custom: bool
    changes: tuple[Change, ...]
    follows: tuple[str, ...]
    gives_way_to: str
    refers_to: frozenset[str]
    protected: bool
    kept: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    outputs: Mapping[str, Any]
    unguarded: tuple[str, ...]
    created: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the engine would do with a stack.

    Attributes:
        steps: All steps that change something, in the engine's order.
        counts: The engine's own number of resources by operation.
        errors: What made the preview fail, or the stack unfit; empty for none.
        config: The stack's configuration as the engine has it: texts, and JSON for everything else.
        standing: What does not change, as far as the engine lists it (`--show-sames`, `--refresh`).
        found_gone: The URNs of what the plan's own refresh did not find in Google Cloud any more. The engine
            does not say so: it lists each resource of the state with both states alike, and then makes again
            what was not there.
        compared: What it was compared with.
    """

    steps: tuple[Step, ...]
    counts: Mapping[str, int]
    errors: tuple[str, ...]
    config: Mapping[str, str]
    standing: tuple[Step, ...]
    found_gone: frozenset[str]
    compared: Compared

    @classmethod
    def parse(cls, text: str) -> "Plan":
        """Parse the standard output of `pulumi preview --json`.

        Raises:
            ConfigurationError: It is no such plan, or not the whole of one.
        """
        try:
            document = json.loads(text)
            steps = document.get("steps") or []
            errors = tuple(_errors(document.get("diagnostics") or []))
            _check_whole(document, steps, errors)
            moving = {each["urn"] for each in steps if "replace" in each["op"]}
            own = [each for each in steps if not is_engine_s_own(each["urn"])]
            plan = cls(
                steps=tuple(
                    _step(each, moving) for each in _whole_replacements(own) if each["op"] not in _UNCHANGED
                ),
                counts=dict(document.get("changeSummary") or {}),
                errors=errors,
                config=dict(document.get("config") or {}),
                standing=tuple(_step(each, moving) for each in own if each["op"] in _UNCHANGED),
                found_gone=_listed(own, "refresh") & _listed(own, "create"),
                compared=told_by(steps, document.get("changeSummary") or {}, errors),
            )
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            reason = f"{type(error).__name__}: {one_line(str(error))}"
            raise ConfigurationError(
                f"this is no plan of `pulumi preview --json` ({reason}): "
                f"{one_line(text)[:200] or 'it is empty'}"
            ) from None
        return plan


def _check_whole(
    document: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], errors: Sequence[str]
) -> None:
    """Refuse a plan of which a part is missing, for it could not be judged.

    A preview that failed says so by its errors, and may lack anything else: it never passes.
    """
    counts = document.get("changeSummary") or {}
    listed = Counter(step["op"] for step in steps)
    reasons = [
        *(["it does not count its changes, as one that was cancelled"] if not counts and not errors else []),
        *(["the engine calls it corrupt"] if document.get("maybeCorrupt") else []),
        *(
            f"it counts {counted} steps of {code(op)}, but lists {listed[op]}, as one with --target"
            for op, counted in counts.items()
            if op not in _UNLISTED and counted > listed[op]
        ),
        *(
            f"it leaves out the making of {one_line(step['urn'])}, as one with --target"
            for step in steps
            if step["op"] == "same" and _is_skipped(step)
        ),
        *(
            f"it does not say what {code(step['op'])} of {one_line(step['urn'])} finds there"
            for step in steps
            if step["op"] not in _OF_NOTHING and not step.get("oldState")
        ),
    ]
    if reasons:
        raise ConfigurationError(f"this is no plan of the whole stack: {reasons[0]}; preview all of it again")


def _is_skipped(step: Mapping[str, Any]) -> bool:
    """Tell whether what "does not change" is not there yet: all that a provider has made has an id."""
    state = step.get("oldState") or {}
    return bool(state.get("custom")) and not state.get("id")


def _listed(steps: Sequence[Mapping[str, Any]], op: str) -> frozenset[str]:
    return frozenset(each["urn"] for each in steps if each["op"] == op)


def _whole_replacements(steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Leave out the halves of replacements that are listed whole, too (`--show-replacement-steps`)."""
    whole = {(each["urn"], _id(each)) for each in steps if each["op"] == "replace"}
    halves = {"create-replacement", "delete-replaced"}
    return [each for each in steps if each["op"] not in halves or (each["urn"], _id(each)) not in whole]


def _id(step: Mapping[str, Any]) -> object:
    return (step.get("oldState") or {}).get("id")


def _step(step: Mapping[str, Any], moving: set[str]) -> Step:
    urn = step["urn"]
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    inputs = [dict(each.get("inputs") or {}) for each in (old, new)]
    imported, stands = str(new.get("importID") or ""), str(old.get("id") or "")
    state = new or old
    referred = {urn for urns in (state.get("propertyDependencies") or {}).values() for urn in urns or []}
    name = urn.split("::", 3)[3]
    return Step(
        op=step["op"],
        urn=urn,
        type=type_of(urn),
        name=name,
        component=_component(state, name),
        id=stands,
        custom=state.get("custom") is not False,
        changes=tuple(_changes(step, *inputs)),
        gives_way_to=imported if stands and imported not in (stands, old.get("importID")) else "",
        refers_to=frozenset(referred),
        follows=tuple(sorted(each.split("::", 3)[3] for each in referred & moving - {urn})),
        protected=bool(old.get("protect")),
        kept=_kept(old),
        old=inputs[0],
        new=inputs[1],
        outputs=dict(old.get("outputs") or {}),
        unguarded=tuple(each for each in _GUARDS if old.get(each) and new and not new.get(each)),
        created=time_of(old.get("created")),
    )


def _component(state: Mapping[str, Any], name: str) -> str:
    if state.get("custom") is False:
        return name
    parent = str(state.get("parent") or "")
    return parent.split("::", 3)[3] if parent and not is_engine_s_own(parent) else ""


def _changes(step: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    detailed = step.get("detailedDiff") or {}
    # An engine that does not say where says at least which.
    listed = {
        each for each in step.get("diffReasons") or () if not any(_is_in(path, each) for path in detailed)
    }
    for path in sorted({*detailed, *listed, *(step.get("replaceReasons") or ())}):
        kind = str((detailed.get(path) or {}).get("kind", ""))
        replaces = "replace" in kind or path in (step.get("replaceReasons") or ())
        yield Change.of(path, at(old, parsed(path)), at(new, parsed(path)), replaces=replaces)


def _is_in(path: str, name: str) -> bool:
    return parsed(path)[:1] == (name,)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return KNOWN_LATER if UNKNOWN in text else text


def _kept(old: Mapping[str, Any]) -> str:
    if old.get("retainOnDelete"):
        return "retainOnDelete"
    if (old.get("inputs") or {}).get("deletionPolicy") == "ABANDON":
        return "deletionPolicy ABANDON"
    return ""


def _errors(diagnostics: Sequence[Mapping[str, Any]]) -> list[str]:
    messages = [
        str(each["message"]).removeprefix("error: ").strip()
        for each in diagnostics
        if each.get("severity") == "error"
    ]
    # The engine's last word says nothing that the others do not.
    return [each for each in messages if each != "preview failed"] or messages
