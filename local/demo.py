"""The main job, shown: events through gRPC, the log and the bus into the tables of the sample projection."""

import asyncio
import re
import uuid
from pathlib import Path
from typing import Final

from event_store import Client, ExpectedVersion, NewEvent
from event_store.errors import ConfigurationError
from local.properties import Properties
from local.sample import DATABASE, SUBSCRIPTION, Row, Sample

RECEIVE_SECONDS: Final = 20.0
_VOCABULARY: Final = {"name": "First steps", "language": "cs"}
_WORDS: Final = {"ahoj": "hello", "děkuji": "thank you"}
_HEADINGS: Final = ("vocabulary", "language", "word", "meaning")
_POSITION: Final = re.compile(r" global_position=(\d+)$")


async def show(endpoints: Properties, logs: Path) -> str:
    """Append a vocabulary, let the sample projection handle it, print what arrives and what its table has.

    Args:
        endpoints: As the daemon tells them.
        logs: The directory of logs.

    Returns:
        The connection string of the projection's database.

    Raises:
        EventStoreError: The events cannot be appended, or do not arrive within 20 seconds.
    """
    vocabulary_id = str(uuid.uuid4())
    events = [NewEvent("VocabularyAdded", _VOCABULARY)]
    events += [NewEvent("WordAdded", {"word": word, "meaning": meaning}) for word, meaning in _WORDS.items()]
    sample = Sample(endpoints, logs / f"{DATABASE}.log")
    async with sample.running() as lines:
        print(f"\nAppending {len(events)} events to {endpoints['service']} (gRPC AppendEvents):")
        async with Client(endpoints["service"]) as client:
            result = await client.append(
                vocabulary_id, "Vocabulary", events, expected_version=ExpectedVersion.NO_STREAM
            )
        first, last = result.first_global_position, result.last_global_position
        print(f"  stored at positions {first} to {last}")
        print(f"Projecting {SUBSCRIPTION} by examples/vocabulary_projection:", flush=True)
        missing = await _arrive(lines, set(range(first, last + 1)))
    rows = await sample.rows(vocabulary_id)
    if rows != [(_VOCABULARY["name"], _VOCABULARY["language"], *word) for word in sorted(_WORDS.items())]:
        raise ConfigurationError(
            f"{len(missing)} of {len(events)} events did not get from {SUBSCRIPTION} to the projection "
            f"in {RECEIVE_SECONDS:.0f} s. If another consumer reads from it, that has them; "
            f"else `event-store status` tells how far the relay is, and {sample.log_path} what went wrong"
        )
    if missing:
        print(f"  {len(missing)} more by another process of the same projection")
    print(f"Its table in the database {DATABASE}:")
    _print_table(rows)
    return sample.conninfo


async def _arrive(lines: "asyncio.Queue[str]", wanted: set[int]) -> set[int]:
    """Print the lines of wanted positions as they come; return the positions that did not come in time."""
    missing = set(wanted)
    try:
        async with asyncio.timeout(RECEIVE_SECONDS):
            while missing and (line := await lines.get()):
                found = _POSITION.search(line)
                if found and int(found[1]) in missing:
                    missing.remove(int(found[1]))
                    print(f"  {line}", flush=True)
    except TimeoutError:
        pass
    return missing


def _print_table(rows: list[Row]) -> None:
    table = [_HEADINGS, *rows]
    widths = [max(len(row[column] or "") for row in table) for column in range(len(_HEADINGS))]
    for row in table:
        cells = (f"{cell or '':{width}}" for cell, width in zip(row, widths, strict=True))
        print(f"  {'  '.join(cells).rstrip()}")
