"""Parse version numbers from the output of programs."""

import re


def numbers(text: str) -> tuple[int, ...]:
    """Return the first version number in a text; `()`, which is lower than any, if there is none."""
    version = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(number or 0) for number in version.groups()) if version else ()
