"""Check an argument that takes several texts: one text alone is a collection of texts, too, its letters."""

from collections.abc import Iterable

from event_store.errors import InvalidArgumentError


def texts(given: Iterable[str], field: str) -> tuple[str, ...]:
    """Return several texts.

    Args:
        given: What a caller gave.
        field: The argument's name.

    Raises:
        InvalidArgumentError: It is one text, or not all of it is text.
    """
    if isinstance(given, str | bytes | bytearray):
        raise InvalidArgumentError.of(field, f"is one text, {given!r}: give a tuple of texts, ({given!r},)")
    try:
        found = tuple(given)
    except TypeError:
        raise InvalidArgumentError.of(field, f"is {given!r}, not a tuple of texts") from None
    for index, each in enumerate(found):
        if not isinstance(each, str):
            raise InvalidArgumentError.of(f"{field}[{index}]", f"is {each!r}, not a text")
    return found
