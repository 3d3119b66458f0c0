"""One schema: manage its revisions, and find the revision that a message fits.

A revision keeps its number forever, even after its deletion. A topic's range may begin or end with a deleted
revision; messages are then validated against the revisions between.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pubsub_emulator import wire
from pubsub_emulator.broker import limits
from pubsub_emulator.broker.clock import Clock
from pubsub_emulator.errors import InvalidArgumentError, NotFoundError, ResourceExhaustedError
from pubsub_emulator.schema.definition import Definition, parse_definition, takes

DELETED_SCHEMA = "_deleted-schema_"


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision.

    Attributes:
        number: 1, 2, 3 … in the order of creation.
        config: The revision's Schema message.
        definition: The parsed definition of `config`.
    """

    number: int
    config: Any
    definition: Definition


class Schema:
    """A schema's state.

    Args:
        config: The Schema message of the first revision.
        clock: The server's clock.

    Raises:
        InvalidArgumentError: The name or the definition is invalid.
        UnimplementedError: The definition needs a package that is not installed.
    """

    def __init__(self, config: Any, clock: Clock) -> None:
        limits.check_name(config.name, "schemas")
        self.name = str(config.name)
        self._clock = clock
        self._revisions: dict[str, Revision] = {}  # in the order of creation
        self._numbers: dict[str, int] = {}
        self.commit(config)

    @property
    def newest(self) -> Revision:
        """The newest revision."""
        return next(self.newest_first())

    def newest_first(self) -> Iterator[Revision]:
        """The revisions, newest first."""
        return reversed(self._revisions.values())

    def revision(self, revision_id: str) -> Revision:
        """Return the revision with an id; raise NotFoundError if there is none."""
        try:
            return self._revisions[revision_id]
        except KeyError:
            raise NotFoundError(f"{self.name}@{revision_id}") from None

    def commit(self, config: Any) -> Any:
        """Add a revision of the same type and return its Schema message."""
        if self._revisions and config.type_ != self.newest.config.type_:
            raise InvalidArgumentError("A schema's type cannot change: give the new one a name of its own.")
        return self._add(config, parse_definition(config))

    def roll_back(self, revision_id: str) -> Any:
        """Add a copy of a revision and return the Schema message of the copy."""
        if not revision_id:
            raise InvalidArgumentError("Missing revision_id: name the revision to roll back to.")
        revision = self.revision(revision_id)
        return self._add(revision.config, revision.definition)

    def delete_revision(self, revision_id: str) -> Any:
        """Delete a revision, unless it is the only one, and return its Schema message."""
        revision = self.revision(revision_id)
        if len(self._revisions) == 1:
            raise InvalidArgumentError(
                f"{self.name}@{revision_id} is the schema's only revision: use DeleteSchema."
            )
        del self._revisions[revision_id]
        return revision.config

    def check_range(self, first: str, last: str) -> None:
        """Check a topic's range of revisions; "" leaves an end open.

        Raises:
            NotFoundError: A revision does not exist.
            InvalidArgumentError: The first revision is newer than the last one.
        """
        ends = [self.revision(each).number for each in (first, last) if each]
        if ends != sorted(ends):
            raise InvalidArgumentError(
                f"first_revision_id ({first}) was created after last_revision_id ({last}): exchange them."
            )

    def fitting(self, data: bytes, encoding: int, first: str = "", last: str = "") -> Revision | None:
        """Return the newest revision that a message fits, in a range that `check_range` accepted."""
        lowest = self._numbers.get(first, 0)
        highest = self._numbers.get(last, len(self._numbers))
        for revision in self.newest_first():
            if lowest <= revision.number <= highest and takes(revision.definition, data, encoding):
                return revision
        return None

    def _add(self, config: Any, definition: Definition) -> Any:
        if len(self._revisions) >= limits.SCHEMA_REVISIONS:
            raise ResourceExhaustedError(
                f"{self.name} already has {limits.SCHEMA_REVISIONS} revisions, the most that a schema may"
                " have: delete one."
            )
        made = wire.Schema()
        made.CopyFrom(config)
        made.name = self.name
        made.revision_id = uuid.uuid4().hex[:8]
        made.revision_create_time.FromMicroseconds(int(self._clock.now() * 1e6))
        number = self._numbers[made.revision_id] = len(self._numbers) + 1
        self._revisions[made.revision_id] = Revision(number, made, definition)
        return made
