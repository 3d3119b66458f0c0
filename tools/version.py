"""Version numbers in what programs say of themselves."""

import re


def numbers(text: str) -> tuple[int, ...]:
    """Read the first version number in a text, `()` if there is none, which is older than any."""
    version = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(number or 0) for number in version.groups()) if version else ()
