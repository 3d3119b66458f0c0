"""The recorded resources of the local Google Cloud, kept on disk.

Invariants: memory and disk agree after every call. The file is replaced as a whole, so a crash leaves the
last state or the one before it. Records keep the order in which their resources were created.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from local_gcp.errors import SetupError
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The record of one resource.

    Attributes:
        type: Pulumi's name of the resource's type.
        id: Google's id of the resource, unique within its type.
        urn: The URN of the resource's creator.
        inputs: The inputs, with Google's defaults.
        outputs: The outputs.
        others: The URNs of further declarations of a shared resource.
        confirmed: Whether Pulumi has referred to the resource by its id, and so knows it. If an update is
            killed before that, the next update creates the resource again and adopts the existing one.
    """

    type: str
    id: str
    urn: str
    inputs: Properties
    outputs: Properties
    others: tuple[str, ...] = ()
    confirmed: bool = False


class Records:
    """The records of one local Google Cloud.

    Args:
        path: The file; None keeps them in memory, for a preview of a stack that does not exist yet.

    Attributes:
        changes: How often the records have changed in this process.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._place = Place()
        self.changes = 0
        self._records: dict[tuple[str, str], Record] = {}
        if path is not None and path.exists():
            self._place, records = _parse(path)
            self._records = {(each.type, each.id): each for each in records}

    def __iter__(self) -> Iterator[Record]:
        return iter(tuple(self._records.values()))

    @property
    def place(self) -> Place:
        """The project and region of the most recently configured stack."""
        return self._place

    @place.setter
    def place(self, place: Place) -> None:
        if place != self._place:
            self._place = place
            self._write()

    def find(self, kind: str, identity: str) -> Record | None:
        """Return a record by type and id, or None."""
        return self._records.get((kind, identity))

    def of_type(self, kind: str) -> tuple[Record, ...]:
        """Return all records of a type."""
        return tuple(each for each in self._records.values() if each.type == kind)

    def put(self, record: Record) -> None:
        """Store a record, replacing the one with its type and id."""
        self._records[record.type, record.id] = record
        self._write()

    def confirm(self, record: Record) -> None:
        """Mark a resource as known to Pulumi."""
        if not record.confirmed:
            self.put(replace(record, confirmed=True))

    def remove(self, record: Record) -> None:
        """Remove a record. Removing it twice is harmless."""
        if self._records.pop((record.type, record.id), None) is not None:
            self._write()

    def _write(self) -> None:
        self.changes += 1
        if self._path is None:
            return
        unfinished = self._path.with_name(f"{self._path.name}.unfinished")
        content: dict[str, Any] = {
            "format": _FORMAT,
            "place": asdict(self._place),
            "records": [asdict(each) for each in self],
        }
        with unfinished.open("w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)


def _parse(path: Path) -> tuple[Place, list[Record]]:
    try:
        content = json.loads(path.read_text())
        if content["format"] == _FORMAT:
            return Place(**content["place"]), [_record(each) for each in content["records"]]
    except (ValueError, KeyError, TypeError):
        pass
    raise SetupError(f"{path} is not the state of this release: begin anew with `down --purge`")


def _record(content: dict[str, Any]) -> Record:
    return Record(**{**content, "others": tuple(content.get("others", ()))})
