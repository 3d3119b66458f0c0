"""The setting of the stack whose change makes resources anew, and its value before.

Prefix, project, region and generation are part of many resources. To take such a change back is one line of
the stack's file, whatever each of the resources would need by itself.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from event_store_infra.preview.judging.context import database_settings
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import KNOWN_LATER, Change, Plan, Step
from event_store_infra.settings import Settings
from event_store_infra.settings.key import parse
from event_store_infra.settings.stack import NAMESPACE

_REPLACES: Final = ("replace", "create-replacement", "delete-replaced")
_PROVIDER_S: Final = {"project": "gcp:project", "region": "gcp:region", "location": "gcp:region"}


def ways_back(plan: Plan) -> Mapping[str, str]:
    """Return how to take back what replaces a resource, a sentence, by URN.

    A resource is left out unless settings alone make it anew: by its own properties, or as it refers to
    others that they make anew.
    """
    steps = [each for each in plan.steps if each.op in _REPLACES]
    former = _Former(plan, steps)
    found = {each.urn: settings for each in steps if (settings := former.of(each)) is not None}
    by_name = {each.name: found[each.urn] for each in steps if found.get(each.urn)}
    while followed := {
        each.urn: {key: value for name in each.follows for key, value in by_name.get(name, {}).items()}
        for each in steps
        if found.get(each.urn) == {} and each.follows and all(by_name.get(name) for name in each.follows)
    }:
        found |= followed
        by_name |= {each.name: followed[each.urn] for each in steps if each.urn in followed}
    return {urn: _sentence(settings) for urn, settings in found.items() if settings}


def _sentence(settings: Mapping[str, str]) -> str:
    return f"set {' and '.join(f'{code(key)} back to {code(value)}' for key, value in settings.items())}."


class _Former:
    """The values before of the settings that a plan changes.

    Args:
        plan: The plan.
        steps: Those of its steps that replace.
    """

    def __init__(self, plan: Plan, steps: list[Step]) -> None:
        self._config = plan.config
        self._generation = str(database_settings(plan).get("generation", 1))
        self._prefix = plan.config.get(f"{NAMESPACE}prefix") or _default_prefix()
        prefixes = {each for step in steps for each in self._prefixes(step)}
        # Another prefix is one for all: what has two values before is a change of the program.
        self._former_prefix = prefixes.pop() if len(prefixes) == 1 else ""

    def of(self, step: Step) -> dict[str, str] | None:
        """Return the values before that a step's own properties tell; None if others make it anew, too."""
        settings: dict[str, str] = {}
        for change in _forcing(step):
            found = next(self._settings(change), None)
            if found is None:
                return None
            settings |= dict([found])
        return settings

    def _settings(self, change: Change) -> Iterator[tuple[str, str]]:
        old, new = _texts(change)
        key = _PROVIDER_S.get(change.path, "")
        if key and new == self._config.get(key):
            yield key, old
        former, rest = self._former_prefix, new.removeprefix(self._prefix)
        if former and (old, new) == (former + rest, self._prefix + rest):
            yield f"{NAMESPACE}prefix", former
        numbered = re.compile(rf"{re.escape(self._prefix)}-(\d+)(.*)")
        before, after = numbered.fullmatch(old), numbered.fullmatch(new)
        if before and after and before[2] == after[2] and after[1] == self._generation:
            yield f"{NAMESPACE}database.generation", before[1]

    def _prefixes(self, step: Step) -> Iterator[str]:
        """Yield what the prefix may have been by the names that a step changes, as in `PREFIX-runtime`."""
        for old, new in map(_texts, _forcing(step)):
            rest = new.removeprefix(self._prefix)
            if rest.startswith("-") and old.endswith(rest) and old != new:
                yield old.removesuffix(rest)


def _forcing(step: Step) -> list[Change]:
    """Return what makes a resource anew, without what only follows another one that is made anew."""
    return [each for each in step.changes if each.replaces and each.new != KNOWN_LATER]


def _texts(change: Change) -> tuple[str, str]:
    """Return the values of a change; empty for what is no text."""
    values: list[Any] = [
        json.loads(each) if each.startswith('"') else "" for each in (change.old, change.new)
    ]
    old, new = (each if isinstance(each, str) else "" for each in values)
    return old, new


def _default_prefix() -> str:
    return parse(Settings, {}, NAMESPACE, project="", region="").prefix
