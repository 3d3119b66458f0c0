"""The demonstration: send events through gRPC, the log and the bus to the sample projection's tables."""

import asyncio
import re
import uuid
from pathlib import Path
from typing import Final

from event_store import Client, ExpectedVersion, NewEvent
from event_store.errors import ConfigurationError
from local_gcp.resource.properties import Properties
from tools.local_stack.sample import DATABASE, SUBSCRIPTION, Row, Sample

RECEIVE_SECONDS: Final = 20.0  # without any event, while some are missing
MOST_SECONDS: Final = 120.0  # for all of a backlog
_VOCABULARY: Final = {"name": "First steps", "language": "cs"}
_WORDS: Final = {"ahoj": "hello", "děkuji": "thank you"}
_HEADINGS: Final = ("vocabulary", "language", "word", "meaning")
_POSITION: Final = re.compile(r" global_position=(\d+)$")


async def is_wanted(endpoints: Properties) -> bool:
    """Return whether to run the demonstration by default: only if the log has no events.

    Raises:
        EventStoreError: The service does not answer.
    """
    async with Client(endpoints["service"]) as client:
        head_position = (await client.status()).head_position
    if head_position:
        print(f"\nThe log has {head_position} events, so none is added: `make up ARGS=--demo` adds some")
    return not head_position


async def show(endpoints: Properties, logs: Path) -> str:
    """Append a vocabulary, wait for the sample projection, and print the events and the table.

    Args:
        endpoints: The daemon's endpoints.
        logs: The directory of log files.

    Returns:
        The connection string of the projection's database.

    Raises:
        EventStoreError: The events cannot be appended, or do not arrive: the projection has handled no
            event for 20 seconds.
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
        arrival = _Arrival({*range(first, last + 1)})
        await arrival.wait(lines)
    if arrival.earlier:
        print(f"  and {arrival.earlier} earlier events, which the subscription still had")
    rows = await sample.rows(vocabulary_id)
    if rows == [(_VOCABULARY["name"], _VOCABULARY["language"], *word) for word in sorted(_WORDS.items())]:
        if arrival.missing:
            print(f"  {len(arrival.missing)} more by another process of the same projection")
        print(f"Its table in the database {DATABASE}:")
        _print_table(rows)
    elif arrival.is_flowing:
        print(f"More are before these: the next consumer of {SUBSCRIPTION} goes on with them")
    else:
        raise ConfigurationError(
            f"{len(arrival.missing)} of {len(events)} events did not get from {SUBSCRIPTION} to the "
            f"projection in {RECEIVE_SECONDS:.0f} s. If another consumer reads from it, that has them; "
            f"else `event-store status` tells how far the relay is, and {sample.log_path} what went wrong"
        )
    return sample.conninfo


class _Arrival:
    """Track which appended events, and how many earlier ones, the projection has handled.

    Attributes:
        missing: Positions of the appended events that are not handled yet.
        earlier: How many other events were handled.
        is_flowing: Whether the projection was still handling events at the timeout.
    """

    def __init__(self, wanted: set[int]) -> None:
        self.missing = wanted
        self.earlier = 0
        self.is_flowing = False

    async def wait(self, lines: "asyncio.Queue[str]") -> None:
        """Print the lines of wanted positions while lines arrive, for at most two minutes."""
        now = asyncio.get_running_loop().time
        ends_at = now() + MOST_SECONDS
        try:
            async with asyncio.timeout(RECEIVE_SECONDS) as patience:
                while self.missing and (line := await lines.get()):
                    patience.reschedule(min(now() + RECEIVE_SECONDS, ends_at))
                    self._count(line)
        except TimeoutError:
            self.is_flowing = now() >= ends_at

    def _count(self, line: str) -> None:
        found = _POSITION.search(line)
        if found and int(found[1]) in self.missing:
            self.missing.remove(int(found[1]))
            print(f"  {line}", flush=True)
        elif found:
            self.earlier += 1


def _print_table(rows: list[Row]) -> None:
    table = [_HEADINGS, *rows]
    widths = [max(len(row[column] or "") for row in table) for column in range(len(_HEADINGS))]
    for row in table:
        cells = (f"{cell or '':{width}}" for cell, width in zip(row, widths, strict=True))
        print(f"  {'  '.join(cells).rstrip()}")
