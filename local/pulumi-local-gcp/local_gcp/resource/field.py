"""Properties: allowed values, defaults, and which changes need a new resource."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from local_gcp.resource.properties import is_known


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A property that accepts any value.

    Attributes:
        required: Google requires the property, even if the SDK does not.
        immutable: Any change of the property, or below it, needs a new resource.
        default: The value that the real provider fills in before it shows a diff; None for no default.
    """

    required: bool = False
    immutable: bool = False
    default: Any = None

    def problem(self, _value: Any) -> str | None:
        """Return what is wrong with a known value, or None."""
        return None

    def replaces(self, _old: Any, _new: Any) -> bool:
        """Tell whether a change of the value needs a new resource; None is a value that is left out."""
        return self.immutable


@dataclass(frozen=True, slots=True)
class Whole(Field):
    """A whole number from `lowest` to `highest`, both allowed."""

    lowest: int
    highest: int

    def problem(self, value: Any) -> str | None:
        """Reject a value that is not a whole number within the limits."""
        try:
            number = int(str(value))
        except ValueError:
            return "must be a whole number"
        return None if self.lowest <= number <= self.highest else f"must be {self.lowest} to {self.highest}"


@dataclass(frozen=True, slots=True)
class Seconds(Field):
    """A duration in seconds, as in `600s`, both limits allowed.

    Attributes:
        or_empty: Whether the empty text is allowed too, with a meaning of its own.
    """

    lowest: int
    highest: int
    or_empty: bool = False

    def problem(self, value: Any) -> str | None:
        """Reject a value that is not a duration within the limits."""
        if value == "" and self.or_empty:
            return None
        match = re.fullmatch(r"(\d+)(\.\d{1,9})?s", str(value))
        if match is None:
            return "must be seconds, as in 600s"
        if not self.lowest <= float(str(value)[:-1]) <= self.highest:
            return f"must be {self.lowest}s to {self.highest}s"
        return None


@dataclass(frozen=True, slots=True)
class Text(Field):
    """A text that matches a pattern.

    Attributes:
        pattern: The pattern, which matches the whole text.
        allowed: The pattern in words, after "must be".
    """

    pattern: str
    allowed: str

    def problem(self, value: Any) -> str | None:
        """Reject a text that does not match the pattern."""
        return None if re.fullmatch(self.pattern, str(value), re.DOTALL) else f"must be {self.allowed}"


@dataclass(frozen=True, slots=True)
class GrowingRange(Field):
    """An IPv4 range of at least 8 addresses, which can grow in place but not shrink or move."""

    def problem(self, value: Any) -> str | None:
        """Reject a value that is not an IPv4 range, and a range that is too small."""
        try:
            prefix = IPv4Network(value).prefixlen
        except ValueError as error:
            return f"must be an IPv4 range, as in 10.0.0.0/24: {error}"
        return None if prefix <= 29 else "must hold at least 8 addresses (/29)"  # noqa: PLR2004 # in the message

    def replaces(self, old: Any, new: Any) -> bool:
        """Tell whether the new range does not contain the old one."""
        if old is None or new is None or not is_known([old, new]):
            return False  # the provider decides it by the two ranges
        return not IPv4Network(old).subnet_of(IPv4Network(new))


@dataclass(frozen=True, slots=True)
class KeptOnceSet(Field):
    """A value that can be changed in place but not removed."""

    def replaces(self, old: Any, new: Any) -> bool:
        """Tell whether the value is removed."""
        return bool(old) and not new


@dataclass(frozen=True, slots=True, init=False)
class Choice(Field):
    """One of several texts."""

    choices: tuple[str, ...]

    def __init__(
        self, *choices: str, required: bool = False, immutable: bool = False, default: str | None = None
    ) -> None:
        for name, value in {
            "choices": choices,
            "required": required,
            "immutable": immutable,
            "default": default,
        }.items():
            object.__setattr__(self, name, value)

    def problem(self, value: Any) -> str | None:
        """Reject a value that is not one of the choices."""
        return None if value in self.choices else f"must be one of {', '.join(self.choices)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Some(Field):
    """A list that must not be empty."""

    def problem(self, value: Any) -> str | None:
        """Reject an empty list."""
        return None if value else "must hold at least one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels(Field):
    """Labels: https://cloud.google.com/resource-manager/docs/labels-overview#requirements."""

    def problem(self, value: Any) -> str | None:
        """Reject too many labels, and labels that Google rejects."""
        most = 64
        if len(value) > most:
            return f"must be at most {most}"
        for key, text in value.items():
            # Letters of any alphabet are allowed, except capitals.
            fits = re.fullmatch(r"[^\W\d_][\w-]{0,62}", key) and re.fullmatch(r"[\w-]{0,63}", text)
            if not fits or (key + text) != (key + text).lower():
                return f"must be small letters, digits, - and _, at most 63, unlike {key}: {text}"
        return None


GIVEN = Field(required=True, immutable=True)
IMMUTABLE = Field(immutable=True)
