"""The effects of one step of a plan."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from event_store_infra.preview.effects import table_of
from event_store_infra.preview.effects.effect import Effect, Effects, Severity, Told, less_safe, loses
from event_store_infra.preview.plan.paths import BLINDED, Path, at, dotted, parsed, pattern
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from event_store_infra.preview.plan.plan import Change, Step

UNKNOWN_TYPE: Final = loses(
    "what, nobody has said: the type has no table in event_store_infra/preview/effects",
    *("add one there.", "event_store_infra/preview/effects"),
)
UNKNOWN_PROPERTY: Final = less_safe(
    "nobody has said what a change of it does: no table in event_store_infra/preview/effects names it",
    "event_store_infra/preview/effects",
)


def of_its_end(step: Step) -> Effect:
    """Return what it does that a step deletes or replaces its resource."""
    table = table_of(step.type)
    return UNKNOWN_TYPE if table is None else table.of_its_end(step)


def of_its_changes(step: Step) -> tuple[Told, ...]:
    """Return what the changes of an update do, those that are harmless left out, by path."""
    table, listed = table_of(step.type), step.changes
    step = step if table is None else _aligned(step, table)
    found = {} if table is None else {each.change.path: each for each in _blocks(step, table)}
    for path in sorted(_changed(step, table), key=dotted):
        old, new = _old(step, path), at(step.new, path)
        if _stands(step, path, new):
            continue
        if table is not None and table.judges_whole(pattern(path)):
            continue
        rule = None if table is None else table.rule_of(pattern(path))
        effect = UNKNOWN_PROPERTY if rule is None else rule(_seen(old), _seen(new))
        if effect.severity > Severity.HARMLESS:
            found.setdefault(dotted(path), Told(change=Change.of(dotted(path), old, new), effect=effect))
    also = table.also(replace(step, changes=listed)) if table is not None and table.also is not None else ()
    return (*found.values(), *also)


def _aligned(step: Step, table: Effects) -> Step:
    """Return a step whose lists are compared item by item with what each item continues, not by place."""
    for name, align in table.aligned.items():
        path = parsed(name)
        old, new = at(step.old, path), at(step.new, path)
        if isinstance(old, list) and isinstance(new, list):
            others = (each for each in step.changes if parsed(each.path)[: len(path)] != path)
            differs = old != new or any(parsed(each.path)[: len(path)] == path for each in step.changes)
            whole = (Change.of(name, old, new),) if differs else ()
            step = replace(step, new=_with(step.new, path, align(old, new)), changes=(*others, *whole))
    return step


def _with(inputs: Mapping[str, Any], path: Path, value: Any) -> Mapping[str, Any]:
    """Return inputs with another value at a path of names."""
    name, *rest = path
    return {**inputs, str(name): _with(inputs[str(name)], tuple(rest), value) if rest else value}


def _blocks(step: Step, table: Effects) -> Iterator[Told]:
    for name, rule in table.blocks.items():
        old, new = (_plain(at(each, parsed(name))) for each in (step.old, step.new))
        effect = rule(old, new)
        if old != new and effect.severity > Severity.HARMLESS:
            yield Told(change=Change.of(name, old, new), effect=effect)


def _changed(step: Step, table: Effects | None) -> set[Path]:
    """Return where a step differs: each property that the table names, or whose siblings it names."""
    roots = [parsed(each.path) for each in step.changes] or [
        (name,) for name in step.old.keys() | step.new.keys() if step.old.get(name) != step.new.get(name)
    ]
    return {path for root in roots for path in _properties(step, table, root)}


def _properties(step: Step, table: Effects | None, root: Path) -> Iterator[Path]:
    """Yield the properties at, above or below a path of which the engine says that it differs."""
    for length in range(1, len(root) + 1):
        if table is not None and table.names(pattern(root[:length])):
            yield root[:length]
            return
    below = list(_leaves(_old(step, root), at(step.new, root), root, table))
    has_no_more = table is not None and table.aligns_within(pattern(root))  # such as an item that is new
    yield from below if below or has_no_more else [root]  # the engine says so, whatever the values are


def _leaves(old: Any, new: Any, path: Path, table: Effects | None) -> Iterator[Path]:
    if table is not None and table.names(pattern(path)):
        if _differ(old, new):
            yield path
    elif isinstance(old, Mapping) or isinstance(new, Mapping):
        sides = [each if isinstance(each, Mapping) else {} for each in (old, new)]
        for name in sides[0].keys() | sides[1].keys():
            if not name.startswith("__"):  # the provider's own, as `__defaults`
                yield from _leaves(sides[0].get(name), sides[1].get(name), (*path, name), table)
    elif isinstance(old, list) or isinstance(new, list):
        items = [each if isinstance(each, list) else [] for each in (old, new)]
        for index in range(max(map(len, items))):
            pair = [each[index] if index < len(each) else None for each in items]
            if pair[1] is None and table is not None and pattern(path) in table.aligned:
                continue  # its end is told as one
            yield from _leaves(pair[0], pair[1], (*path, index), table)
    elif _differ(old, new):
        yield path


def _differ(old: Any, new: Any) -> bool:
    return bool(old != new or old == BLINDED)


def _seen(value: Any) -> Any:
    """Return a value; of a secret, of which the engine says only that it changes, that nobody can tell."""
    return LATER if value == BLINDED else value


def _stands(step: Step, path: Path, new: Any) -> bool:
    """Tell whether a program says for the first time what Google has already."""
    return new is not None and at(step.old, path) is None and at(step.outputs, path) == new


def _plain(value: Any) -> Any:
    """Leave out the provider's own, as `__defaults`."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items() if not name.startswith("__")}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _old(step: Step, path: Path) -> Any:
    """Return a value as it stands: as the program gave it, else as Google filled it in."""
    given = at(step.old, path)
    return at(step.outputs, path) if given is None else given
