"""Check that PostgreSQL's JSONB can hold a JSON text and that every reader can receive it.

orjson rejects invalid JSON, lone surrogates, invalid UTF-8 and numbers above a double's range. This module
rejects the rest: values that JSONB cannot hold, and values that it returns several times as large.
"""

import re
from typing import Final

import orjson

DEEPEST_LEVELS: Final = 100
_STRINGS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# What an exponent and a large one look like when all digits are zeros, letters small and signs gone.
_LIKE_EXPONENT: Final = b"0e0"
_LIKE_LARGE_EXPONENT: Final = b"0e000"
_TO_ZEROS: Final = bytes.maketrans(b"123456789E", b"000000000e")
# Not what looks like one within a UUID, which is in every other metadata.
_LARGE_EXPONENT: Final = re.compile(rb"[0-9][eE][+-]?[0-9]{3,}(?=[\s,\]}]|$)")
_EXPONENTS: Final = re.compile(rb"[eE]([+-]?)0*([0-9]+)")
_MOST_EXPONENT_DIGITS: Final = 3
_LARGE: Final = 100
_LOWEST_EXPONENT: Final = -400  # a double ends at 5e-324; digits before the point make up for some
# JSONB writes numbers out, 1e99 with 100 digits, and a space behind each comma and colon. Readers get that,
# and gRPC's clients take 4 MiB by default.
_MOST_WRITTEN_OUT_BYTES: Final = 65_536  # by numbers with a large exponent
_MOST_GROWTH: Final = 2  # of a text of the largest size; read_page has the sizes (migrations/sql)
_FASTEST_GROWTH: Final = 21  # of a text without large exponents: 1e99 and its comma
_WHITE_SPACE: Final = (b" ", b"\t", b"\n", b"\r")


def find_fault(text: bytes, most_bytes: int) -> str:
    """Return what is wrong with a JSON text, without the name of the field; empty if nothing is."""
    if len(text) > most_bytes:
        return f"is {len(text)} bytes, at most {most_bytes} are allowed"
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return f"is not JSON in UTF-8: {error}"
    if b"\\u0000" in text and _NUL.search(text):
        return r"contains \u0000, which PostgreSQL cannot hold"
    # Quick tests first: most texts are short, flat and without small numbers.
    if len(text) > 2 * DEEPEST_LEVELS and text.count(b"[") + text.count(b"{") > DEEPEST_LEVELS:
        depth = _depth(_STRINGS.sub(b"", text))
        if depth > DEEPEST_LEVELS:
            return f"is {depth} levels deep, at most {DEEPEST_LEVELS} are allowed"
    zeros = text.translate(_TO_ZEROS, b"+-")
    if _LIKE_EXPONENT in zeros and (
        len(text) > _MOST_GROWTH * most_bytes // _FASTEST_GROWTH
        or (_LIKE_LARGE_EXPONENT in zeros and _LARGE_EXPONENT.search(text))
    ):
        return _number_fault(text, _MOST_GROWTH * most_bytes)
    return ""


def _number_fault(text: bytes, most_bytes: int) -> str:
    structure = _STRINGS.sub(b"", text)
    found = _EXPONENTS.findall(structure)
    if any(len(digits) > _MOST_EXPONENT_DIGITS for _, digits in found):
        return "contains a number that a double cannot hold"
    exponents = [int(sign + digits) for sign, digits in found]
    if any(exponent < _LOWEST_EXPONENT for exponent in exponents):
        return "contains a number that a double cannot hold"
    sizes = [abs(exponent) for exponent in exponents]
    if sum(size for size in sizes if size >= _LARGE) > _MOST_WRITTEN_OUT_BYTES:
        return f"contains numbers of more than {_MOST_WRITTEN_OUT_BYTES} bytes when written out"
    spaces = structure.count(b",") + structure.count(b":")
    size_bytes = len(text) - sum(map(structure.count, _WHITE_SPACE)) + spaces + sum(sizes)
    if size_bytes > most_bytes:
        return f"is {size_bytes} bytes with its numbers written out, at most {most_bytes} are allowed"
    return ""


def _depth(structure: bytes) -> int:
    depth = deepest = 0
    for character in structure:
        if character in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in b"]}":
            depth -= 1
    return deepest
