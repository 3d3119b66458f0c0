"""Values of GitHub's expressions, as far as the workflows use them.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_TOKEN: Final = re.compile(r"\s*('(?:[^']|'')*'|&&|\|\||==|!=|[!().,\[\]]|[\w-]+)")


def evaluate(
    expression: str, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> Any:
    """Return the value of an expression.

    Args:
        expression: The text, with or without `${{ }}`.
        contexts: What `github`, `needs` and others are.
        functions: Functions beside `fromJSON` and `contains`, such as `cancelled`.
    """
    text = expression.strip()
    if match := re.fullmatch(r"\$\{\{(.*)\}\}", text, re.DOTALL):
        text = match[1]
    parser = _Parser(text, contexts, {"fromJSON": json.loads, "contains": _contains, **functions})
    value = parser.either()
    assert not parser.ahead, f"{expression}: what is {parser.ahead}?"
    return value


class _Parser:
    """Evaluates while it reads; every part is evaluated, since none has an effect."""

    def __init__(self, text: str, contexts: Mapping[str, Any], functions: Mapping[str, Any]) -> None:
        self._tokens = _tokens(text)
        self._contexts = contexts
        self._functions = functions
        self.ahead = next(self._tokens, "")

    def either(self) -> Any:
        value = self._both()
        while self._took("||"):
            other = self._both()
            value = value if is_true(value) else other
        return value

    def _both(self) -> Any:
        value = self._comparison()
        while self._took("&&"):
            other = self._comparison()
            value = other if is_true(value) else value
        return value

    def _comparison(self) -> Any:
        value = self._negation()
        for operator, wanted in (("==", True), ("!=", False)):
            if self._took(operator):
                return _equal(value, self._negation()) == wanted
        return value

    def _negation(self) -> Any:
        return not is_true(self._negation()) if self._took("!") else self._place()

    def _place(self) -> Any:
        value = self._part()
        while self.ahead in {".", "["}:
            if self._took("."):
                key = self._take()
            else:
                self._must_take("[")
                key = self.either()
                self._must_take("]")
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def _part(self) -> Any:
        text = self._take()
        if text == "(":
            value = self.either()
            self._must_take(")")
            return value
        if text.startswith("'"):
            return text[1:-1].replace("''", "'")
        if self._took("("):
            arguments = []
            while not self._took(")"):
                arguments.append(self.either())
                self._took(",")
            return self._functions[text](*arguments)
        literals = {"true": True, "false": False, "null": None}
        return literals[text] if text in literals else self._contexts[text]

    def _take(self) -> str:
        taken, self.ahead = self.ahead, next(self._tokens, "")
        return taken

    def _took(self, wanted: str) -> bool:
        return self.ahead == wanted and bool(self._take())

    def _must_take(self, wanted: str) -> None:
        assert self._took(wanted), f"{wanted} is missing before {self.ahead}"


def is_true(value: Any) -> bool:
    """Return what a value counts as in a condition: an object counts as true, even an empty one."""
    return isinstance(value, Mapping) or bool(value)


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        assert match, f"what is {text[place:]}?"
        yield match[1]
        place = match.end()


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()  # GitHub ignores case
    return bool(one == other)


def _contains(place: Any, wanted: Any) -> bool:
    return str(wanted).lower() in str(place).lower()
