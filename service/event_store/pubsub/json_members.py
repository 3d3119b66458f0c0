"""Split a JSON object into the unparsed texts of its values, so that numbers keep their digits."""

import json
import re
from typing import Final

_DECODER: Final = json.JSONDecoder()
_BETWEEN: Final = re.compile(r"[\s,:]*")


def members(text: str) -> dict[str, str]:
    """Return the texts of an object's values by key; the last one of equal keys wins.

    Not every syntax error is detected: parse the text as well to check it.

    Raises:
        ValueError: The text is not a JSON object.
        IndexError: The text ends too early.
        RecursionError: The text is nested too deeply.
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
