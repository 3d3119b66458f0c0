"""Select events by aggregate type and event type: the client makes a filter, the service applies it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from event_store.errors import InvalidArgumentError
from event_store.model.arguments import texts

MOST_TYPES: Final = 100
MOST_CHARACTERS: Final = 101  # a type and its "*"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Select events by type: an event passes if both lists accept it; an empty list accepts every type.

    Attributes:
        aggregate_types: At most 100 aggregate types of 1 to 101 characters; a trailing `*` matches a prefix,
            as in `Vocab*`. Empty accepts every type.
        event_types: At most 100 event types, in the same form.

    Raises:
        InvalidArgumentError: A list has more than 100 types, or a type is invalid.
    """

    aggregate_types: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check both lists against the limits of the contract."""
        for name in ("aggregate_types", "event_types"):
            types = texts(getattr(self, name), f"filter.{name}")
            object.__setattr__(self, name, types)  # a list is accepted, and kept as a tuple
            if len(types) > MOST_TYPES:
                raise _invalid(name, f"has {len(types)} types, at most {MOST_TYPES} are allowed")
            for index, each in enumerate(types):
                if not 1 <= len(each) <= MOST_CHARACTERS or "*" in each[:-1] or "\0" in each:
                    raise _invalid(
                        f"{name}[{index}]",
                        f"invalid type {each!r:.120}: use 1 to {MOST_CHARACTERS} characters, "
                        "with * at the end only, to match a prefix",
                    )

    @property
    def is_selective(self) -> bool:
        """Whether the filter rejects any type."""
        return bool(self.aggregate_types or self.event_types)

    def matches(self, aggregate_type: str, event_type: str) -> bool:
        """Return whether an event with these types passes.

        Args:
            aggregate_type: The type of the event's aggregate.
            event_type: The type of the event.
        """
        return _takes(self.aggregate_types, aggregate_type) and _takes(self.event_types, event_type)

    def like_patterns(self) -> dict[str, list[str] | None]:
        """Return each list, by its name, as patterns for SQL's LIKE; None accepts every type."""
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
