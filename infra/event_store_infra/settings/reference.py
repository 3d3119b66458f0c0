"""The reference page of every key: `docs/reference/settings.md`, made from the keys themselves."""

import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Final

from event_store_infra.settings.key import KINDS, Key
from event_store_infra.settings.profile import PROFILES
from event_store_infra.settings.stack import NAMESPACE, ProjectSettings, Settings

_INTRODUCTION: Final = """\
# The settings of a stack

This page lists every key of `Pulumi.<stack>.yaml`. `make reference` makes it from
`infra/event_store_infra/settings/`. An unknown key is rejected before anything is made, and so are values and
combinations that Google Cloud would reject.

A profile sets other defaults for its kind of environment; the stack's file takes precedence over both.

The column "another value" describes the effect of a change on an existing stack, unless it is an update in
place. The [preview guard](../howto/deploy.md#5-every-change) refuses changes that would lose data, or that
Google would not make in one update, and tells what to do instead.
"""


def page() -> str:
    """Return the page, in Markdown."""
    profiles = list(PROFILES)
    parts = [_INTRODUCTION, _table("The provider's own", "gcp:", ProjectSettings, ())]
    parts.append(_table("The whole stack", NAMESPACE, Settings, profiles))
    parts += [
        _table(f"`{path}`", f"{path}.", section, profiles) for path, section in _sections(NAMESPACE, Settings)
    ]
    return "\n".join(parts)


def _sections(path: str, cls: type[Any]) -> Iterator[tuple[str, type[Any]]]:
    """Yield the nested settings classes with their paths, outer ones first."""
    for name, hint in typing.get_type_hints(cls).items():
        section = _settings_class(hint)
        if section is not None:
            yield f"{path}{name}", section
            yield from _sections(f"{path}{name}.", section)


def _table(title: str, path: str, cls: type[Any], profiles: Sequence[str]) -> str:
    columns = ["key", "meaning", "allowed", "another value", "default", *profiles]
    rows = [f"\n## {title}\n", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    hints = typing.get_type_hints(cls)
    for each in fields(cls):
        if "key" not in each.metadata or _settings_class(hints[each.name]) is not None:
            continue
        declared: Key = each.metadata["key"]
        name = f"{path}{each.name}"
        cells = [f"`{name}`", declared.about, _allowed(declared, hints[each.name]), declared.changed]
        cells.append(_default(each))
        cells += [_shown(_of_profile(PROFILES[profile], name)) for profile in profiles]
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def _settings_class(hint: Any) -> type[Any] | None:
    for each in (hint, *typing.get_args(hint)):
        if is_dataclass(each):
            return typing.cast("type[Any]", each)
    return None


def _allowed(declared: Key, hint: Any) -> str:
    origin = typing.get_origin(hint)
    kind = {tuple: "a list, each ", None: ""}.get(origin, "a mapping, each value ")
    if declared.choices:
        return kind + " or ".join(f"`{each}`" for each in declared.choices if each)
    if hint is int or int in typing.get_args(hint):
        return kind + f"{declared.lowest} to {declared.highest} {declared.unit}".rstrip()
    return kind + (declared.allowed or KINDS[bool if hint is bool else str])


def _default(each: Field[Any]) -> str:
    if each.default_factory is not MISSING:
        return _shown(each.default_factory())
    return "required" if each.default is MISSING else _shown(each.default)


def _of_profile(values: Mapping[str, object], name: str) -> object:
    found: Any = values
    for step in name.removeprefix(NAMESPACE).split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _shown(value: object) -> str:
    if value is None or value in ("", (), {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
