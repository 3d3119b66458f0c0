"""Parse Google's subscription filters (cloud.google.com/pubsub/docs/subscription-message-filter).

filter     = term { "AND" term } | term { "OR" term }     both together only with parentheses
term       = { "NOT" | "-" } ( "(" filter ")" | has | equals | prefix )
has        = "attributes" ":" key
equals     = "attributes" "." key ( "=" | "!=" ) string
prefix     = "hasPrefix" "(" "attributes" "." key "," string ")"
key        = letters, digits, "-", "_"  |  string
string     = '"' characters and escapes '"'
"""

import ast
import re
from collections.abc import Callable, Mapping

from pubsub_emulator.broker.limits import FILTER_BYTES
from pubsub_emulator.errors import InvalidArgumentError

Predicate = Callable[[Mapping[str, str]], bool]

_STRING = r'''"(?:[^"\\\n]|\\[\\"'abfnrtvxuU0-7])*"'''
_TOKEN = re.compile(rf"\s*(?P<token>{_STRING}|!=|[-:.=(),]|\w[\w-]*)", re.ASCII)
_KEY = re.compile(r"[\w-]+", re.ASCII)


def parse_filter(text: str) -> Predicate:
    """Parse a filter into a predicate on a message's attributes.

    Raises:
        InvalidArgumentError: The filter is longer than 256 bytes, or invalid; the message says where.
    """
    if len(text.encode()) > FILTER_BYTES:
        raise InvalidArgumentError(f"The filter is too long: at most {FILTER_BYTES} bytes are allowed.")
    return _Parser(text).parse()


class _Parser:
    """Parse one filter by recursive descent over its tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._found = ""
        self._advance()

    def parse(self) -> Predicate:
        predicate = self._filter()
        if self._found:
            raise self._unexpected("the end")
        return predicate

    def _filter(self) -> Predicate:
        terms = [self._term()]
        operator = self._found
        while operator in ("AND", "OR") and self._found == operator:
            self._advance()
            terms.append(self._term())
        if self._found in ("AND", "OR"):
            raise self._unexpected("parentheses around AND and OR that are used together")
        if len(terms) == 1:
            return terms[0]
        combine = all if operator == "AND" else any
        return lambda attributes: combine(term(attributes) for term in terms)

    def _term(self) -> Predicate:
        if self._found in ("NOT", "-"):
            self._advance()
            term = self._term()
            return lambda attributes: not term(attributes)
        if self._found == "(":
            self._advance()
            inner = self._filter()
            self._expect(")")
            return inner
        if self._found == "hasPrefix":
            return self._prefix()
        self._expect("attributes")
        if self._found == ":":
            self._advance()
            key = self._key()
            return lambda attributes: key in attributes
        self._expect(".")
        return self._equals(self._key())

    def _equals(self, key: str) -> Predicate:
        operator = self._found
        if operator not in ("=", "!="):
            raise self._unexpected("= or !=")
        self._advance()
        value = self._string()
        # A message without the key differs from every value.
        if operator == "!=":
            return lambda attributes: attributes.get(key) != value
        return lambda attributes: attributes.get(key) == value

    def _prefix(self) -> Predicate:
        for token in ("hasPrefix", "(", "attributes", "."):
            self._expect(token)
        key = self._key()
        self._expect(",")
        prefix = self._string()
        self._expect(")")
        return lambda attributes: key in attributes and attributes[key].startswith(prefix)

    def _key(self) -> str:
        if self._found.startswith('"'):
            return self._string()
        if not _KEY.fullmatch(self._found):
            raise self._unexpected("an attribute key")
        key = self._found
        self._advance()
        return key

    def _string(self) -> str:
        if not self._found.startswith('"'):
            raise self._unexpected("a string in double quotes")
        try:
            value = ast.literal_eval(self._found)
        except (SyntaxError, ValueError) as error:
            raise self._unexpected("a string with valid escapes") from error
        self._advance()
        return str(value)

    def _expect(self, token: str) -> None:
        if self._found != token:
            raise self._unexpected(repr(token))
        self._advance()

    def _advance(self) -> None:
        self._position += len(self._found)
        match = _TOKEN.match(self._text, self._position)
        if match is not None:
            self._position = match.start("token")
            self._found = match["token"]
            return
        rest = self._text[self._position :].strip()
        self._found = ""
        if rest:
            raise InvalidArgumentError(f"Invalid filter {self._text!r}: {rest[:20]!r} has no meaning here.")

    def _unexpected(self, wanted: str) -> InvalidArgumentError:
        found = repr(self._found) if self._found else "the end"
        return InvalidArgumentError(
            f"Invalid filter {self._text!r}: expected {wanted} at character {self._position + 1}, found"
            f" {found}."
        )
