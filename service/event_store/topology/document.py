"""Read a YAML file into values that keep their place, for errors with file, line and field."""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import yaml

from event_store.errors import TopologyError

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SCALARS: Final = {"int": "a number", "float": "a number", "bool": "true or false", "null": "empty"}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._~%+-]{2,}")
_LABEL: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE: Final = r"[a-z0-9_-]{1,63}"
_MOST_LABELS: Final = 60  # Google takes 64; the stack's own are among them
_TAG: Final = "tag:yaml.org,2002:"


def read(text: str, source: str) -> "Value":
    """Parse a YAML document and return its root.

    Args:
        text: The content of the file.
        source: The name of the file in errors, usually its path.

    Raises:
        TopologyError: The text is not YAML, or empty.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TopologyError(f"{source}:{line}: not YAML ({error.problem}): correct the line") from None
    except (yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise TopologyError(f"{source}: not YAML ({reason}): write it as plain text") from None
    if node is None:
        raise TopologyError(f"{source}: the file is empty: declare `topics`, `subscriptions` and `routes`")
    return Value(node, source, "")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a YAML file.

    Attributes:
        node: The parsed node.
        source: The name of the file in errors.
        field: The path of the value, as in `subscriptions[0].ackDeadlineSeconds`; empty for the whole file.
    """

    node: yaml.Node
    source: str
    field: str

    def error(self, problem: str, fix: str) -> TopologyError:
        """Return an error with file, line and field, for the caller to raise."""
        line = self.node.start_mark.line + 1
        return TopologyError(f"{self.source}:{line}: {self.field or 'the file'} {problem}: {fix}")

    def mapping(self, required: Collection[str], optional: Collection[str]) -> dict[str, "Value"]:
        """Return the values of a mapping by key; reject unknown, missing and repeated keys."""
        known = [*required, *optional]
        if not self.is_mapping():
            raise self.error(f"is {self._kind()}", f"write a mapping with the keys {', '.join(known)}")
        values: dict[str, Value] = {}
        for key_node, value_node in self.node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            at_key = Value(key_node, self.source, f"{self.field}.{key}".lstrip("."))
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                raise at_key.error(
                    "is unknown", f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
                )
            if key in values:
                raise at_key.error("is given twice", "remove one of them")
            values[key] = Value(value_node, self.source, at_key.field)
        for key in required:
            if key not in values:
                raise self.error(f"has no {key}", f"add `{key}`")
        return values

    def is_mapping(self) -> bool:
        """Return whether the value is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    def items(self) -> list["Value"]:
        """Return the values of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"is {self._kind()}", "write a list, one entry per line after `- `")
        return [
            Value(node, self.source, f"{self.field}[{index}]") for index, node in enumerate(self.node.value)
        ]

    def text(self) -> str:
        """Return a string that is not empty."""
        if self._kind() != "text" or not self.node.value:
            raise self.error(f"is {self._shown()}", "write a text; in quotes if it looks like a number")
        return str(self.node.value)

    def matching(self, pattern: str, allowed: str) -> str:
        """Return a string that matches a whole pattern; `allowed` describes the pattern in errors."""
        text = self.text()
        if not re.fullmatch(pattern, text):
            raise self.error(f"is {text!r}", f"write {allowed}")
        return text

    def boolean(self) -> bool:
        """Return a boolean."""
        if self._kind() != "true or false" or self.node.value not in ("true", "false"):
            raise self.error(f"is {self._shown()}", "write true or false")
        return bool(self.node.value == "true")

    def labels(self) -> dict[str, str]:
        """Return labels that Google accepts, at most 60 of them."""
        if not self.is_mapping():
            raise self.error(f"is {self._kind()}", "write a mapping of labels, as in `team: words`")
        names = [key.value for key, _ in self.node.value]
        values = self.mapping((), names)
        fix = "write 1 to 63 lower-case letters, digits, - and _; a key begins with a letter, not with goog"
        for name, value in values.items():
            if not _LABEL.fullmatch(name) or name.startswith("goog"):
                raise value.error(f"has the key {name!r}", fix)
            value.matching(_LABEL_VALUE, fix)
        if len(values) > _MOST_LABELS:
            raise self.error(f"has {len(values)} labels", f"at most {_MOST_LABELS} are allowed")
        return {name: value.text() for name, value in values.items()}

    def choice(self, choices: Collection[str], otherwise: str = "") -> str:
        """Return a string that is one of `choices`; errors name `otherwise` as an alternative."""
        if self._kind() != "text" or self.node.value not in choices:
            fix = (
                f"write one of {', '.join(choices)} {otherwise}".rstrip() if choices else "declare one first"
            )
            raise self.error(f"is {self._shown()}", fix)
        return str(self.node.value)

    def resource_name(self, longest_characters: int) -> str:
        """Return a valid name of a topic, subscription or schema of Pub/Sub."""
        name = self.text()
        if len(name) > longest_characters or not _NAME.fullmatch(name) or name.lower().startswith("goog"):
            raise self.error(
                f"is {name!r}, not a valid name in Pub/Sub",
                f"write 3 to {longest_characters} letters, digits and -_.~+%, beginning with a letter "
                "and not with goog",
            )
        return name

    def integer(self, lowest: int, highest: int) -> int:
        """Return a whole number from `lowest` to `highest`."""
        fix = f"write a whole number from {lowest} to {highest}"
        # YAML 1.1 would read 010 as eight and 1:30 as ninety: reject these.
        if self._kind() != "a number" or not re.fullmatch(r"0|[1-9][0-9]{0,17}", self.node.value):
            raise self.error(f"is {self._shown()}", fix)
        number = int(self.node.value)
        if not lowest <= number <= highest:
            raise self.error(f"is {number}, outside {lowest} to {highest}", fix)
        return number

    def duration_seconds(self, lowest_seconds: int, highest_seconds: int) -> int:
        """Return the seconds of a duration such as `10s`, `30m`, `12h` or `7d`, within a range."""
        allowed = f"{_duration(lowest_seconds)} to {_duration(highest_seconds)}"
        fix = f"write a whole number and a unit (s, m, h or d), from {allowed}"
        value = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        match = re.fullmatch(r"([0-9]{1,18})([smhd])", value)
        if not match:
            raise self.error(f"is {self._shown()}, not a duration", fix)
        seconds = int(match[1]) * _SECONDS[match[2]]
        if not lowest_seconds <= seconds <= highest_seconds:
            raise self.error(f"is {value}, outside {allowed}", fix)
        return seconds

    def _kind(self) -> str:
        if self.is_mapping():
            return "a mapping"
        if isinstance(self.node, yaml.SequenceNode):
            return "a list"
        return _SCALARS.get(self.node.tag.removeprefix(_TAG), "text")

    def _shown(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode) or self._kind() == "empty":
            return self._kind()
        return repr(self.node.value)


def _duration(seconds: int) -> str:
    unit = next((u for u in "dhm" if seconds and seconds % _SECONDS[u] == 0), "s")
    return f"{seconds // _SECONDS[unit]}{unit}"
