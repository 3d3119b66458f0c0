"""Where an old and a new value differ: of long ones, what both have in common is left out."""

import json
from typing import Any, Final

from event_store_infra.preview.plan.plan import KNOWN_LATER

_BEFORE: Final = 15  # characters in common that are shown before the first difference


def apart(old: str, new: str, longest: int) -> tuple[str, str]:
    """Return two values, each cut to what tells it from the other.

    Args:
        old: JSON, or empty for none.
        new: JSON, empty for none, or `KNOWN_LATER`.
        longest: More characters than this are cut, at least 30.
    """
    if max(len(old), len(new)) <= longest or KNOWN_LATER in (old, new):
        return _cut(old, 0, longest), _cut(new, 0, longest)
    if old and new:
        narrowed = [_written(each) for each in _changed(json.loads(old), json.loads(new))]
        old, new = narrowed if narrowed[0] != narrowed[1] else (old, new)
    pairs = enumerate(zip(old, new, strict=False))
    common = next((place for place, (a, b) in pairs if a != b), min(len(old), len(new)))
    # Both begin at one place, so that they are as different as the values.
    start = max(0, common - _BEFORE) if max(len(old), len(new)) > longest else 0
    return _cut(old, start, longest), _cut(new, start, longest)


def _changed(old: Any, new: Any) -> tuple[Any, Any]:
    """Leave out the members of mappings, and the items of lists, that are in both."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = [each for each in old.keys() | new.keys() if old.get(each) != new.get(each)]
        pairs = {each: _changed(old.get(each), new.get(each)) for each in names}
        return (
            {each: pair[0] for each, pair in pairs.items() if each in old},
            {each: pair[1] for each, pair in pairs.items() if each in new},
        )
    if isinstance(old, list) and isinstance(new, list):
        gone, added = [each for each in old if each not in new], [each for each in new if each not in old]
        return (gone, added) if gone or added else (old, new)  # only the order differs
    return old, new


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _cut(text: str, start: int, longest: int) -> str:
    if not start and len(text) <= longest:
        return text
    kept = text[start : start + longest - 2]
    return f"{'…' * (start > 0)}{kept}{'…' * (start + len(kept) < len(text))}"
