"""The members of a JSON object as they are written: what is not parsed keeps its digits."""

import json
import re
from typing import Final

_DECODER: Final = json.JSONDecoder()
_BETWEEN: Final = re.compile(r"[\s,:]*")


def members(text: str) -> dict[str, str]:
    """Return the texts of an object's values by their keys; of equal keys the last one wins.

    Raises:
        ValueError: The text is no JSON object. Not every fault is found: who must know parses it, too.
        IndexError: It ends too early.
        RecursionError: It is too deep.
    """
    found: dict[str, str] = {}
    at = text.index("{") + 1
    while text[at := _skip(text, at)] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, at)
        _, end = _DECODER.raw_decode(text, start)
        found[key] = text[start:end]
        at = end
    return found


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at
