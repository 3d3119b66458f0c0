"""Which events are meant, by their types. The client makes it, the service applies it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from event_store.errors import InvalidArgumentError
from event_store.model.arguments import texts

MOST_TYPES: Final = 100
MOST_CHARACTERS: Final = 101  # a type and its "*"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are meant: those that pass both of its lists. An empty list takes every type.

    Attributes:
        aggregate_types: At most 100. Each is a type, or the beginning of one followed by `*`, as in `Vocab*`.
        event_types: The same of event types.

    Raises:
        InvalidArgumentError: A list is too long, or a type is none.
    """

    aggregate_types: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what the contract does not allow."""
        for name in ("aggregate_types", "event_types"):
            types = texts(getattr(self, name), f"filter.{name}")
            object.__setattr__(self, name, types)  # a list is taken, and kept as a tuple
            if len(types) > MOST_TYPES:
                raise _invalid(name, f"has {len(types)} types, at most {MOST_TYPES} are allowed")
            for index, each in enumerate(types):
                if not 1 <= len(each) <= MOST_CHARACTERS or "*" in each[:-1] or "\0" in each:
                    raise _invalid(
                        f"{name}[{index}]",
                        f"is {each!r}: give a type, or the beginning of one and a * at its end, "
                        f"1 to {MOST_CHARACTERS} characters",
                    )

    @property
    def is_selective(self) -> bool:
        """Whether there are types that it does not take."""
        return bool(self.aggregate_types or self.event_types)

    def matches(self, aggregate_type: str, event_type: str) -> bool:
        """Return whether an event of these types passes.

        Args:
            aggregate_type: The type of its aggregate.
            event_type: Its type.
        """
        return _takes(self.aggregate_types, aggregate_type) and _takes(self.event_types, event_type)

    def like_patterns(self) -> dict[str, list[str] | None]:
        """Return each list as patterns for SQL's LIKE, under its own name; None takes every type."""
        return {
            name: [_like(each) for each in types] or None
            for name, types in (("aggregate_types", self.aggregate_types), ("event_types", self.event_types))
        }


@lru_cache(4096)  # few types, many events
def _takes(types: tuple[str, ...], name: str) -> bool:
    return not types or any(name.startswith(e[:-1]) if e.endswith("*") else name == e for e in types)


def _like(each: str) -> str:
    beginning = each.removesuffix("*")
    for special in ("\\", "%", "_"):
        beginning = beginning.replace(special, f"\\{special}")
    return beginning + ("%" if each.endswith("*") else "")


def _invalid(name: str, description: str) -> InvalidArgumentError:
    return InvalidArgumentError.of(f"filter.{name}", description)
