"""Clients that append, read and keep snapshots for as long as they are let, and write down what happens."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from random import Random
from typing import Final

from event_store.client.client import Client
from tests.system.history.history import (
    ANY,
    Append,
    Event,
    LoadAggregate,
    Part,
    ReadAggregate,
    SaveSnapshot,
)
from tests.system.history.recorder import Recorder

AGGREGATES: Final = 6
AGGREGATE_TYPE: Final = "Vocabulary"
STREAMED: Final = 10  # appends of one stream


class Load:
    """What several clients do.

    Args:
        recorder: Makes the calls.
        random: Chooses them.
        events: How many are appended before the clients end, about.
    """

    def __init__(self, recorder: Recorder, random: Random, events: int) -> None:
        self._recorder = recorder
        self._random = random
        self._events = events
        self._numbers = count(1)
        self._has_grown = asyncio.Condition()

    async def until(self, head: int) -> None:
        """Wait until so many events are acknowledged."""
        async with self._has_grown:
            await self._has_grown.wait_for(lambda: self._recorder.head >= head)

    async def run(self, name: str, client: Client) -> None:
        """Call the store until there are enough events."""
        while self._recorder.head < self._events:
            await self._step(name, client)
            async with self._has_grown:
                self._has_grown.notify_all()

    async def _step(self, name: str, client: Client) -> None:
        aggregate = self._aggregate()
        match self._random.randrange(6):
            case 0 | 1 | 2:
                await self._recorder.append(name, client, self._append())
            case 3:
                number = next(self._numbers)
                async with client.append_stream() as stream:
                    calls = [replace(self._append(), stream=number) for _ in range(STREAMED)]
                    await asyncio.gather(
                        *[await self._recorder.append_on(name, stream, call) for call in calls]
                    )
            case 4:
                read = ReadAggregate(aggregate, 0, 20, backwards=True)
                await self._recorder.read(name, client, read)
            case 5 if version := self._recorder.version(aggregate):
                save = SaveSnapshot(aggregate, AGGREGATE_TYPE, version, next(self._numbers))
                await self._recorder.save(name, client, save)
                await self._recorder.get(name, client, LoadAggregate(aggregate))

    def _append(self) -> Append:
        names = {self._aggregate() for _ in range(self._random.randint(1, 2))}
        return Append(tuple(self._part(name) for name in sorted(names)))

    def _part(self, name: str) -> Part:
        expected = self._random.choice([ANY, ANY, self._recorder.version(name)])
        return Part(name, AGGREGATE_TYPE, expected, tuple(islice(self._new(), self._random.randint(1, 3))))

    def _new(self) -> Iterator[Event]:
        for number in self._numbers:
            yield Event(f"e{number}", "WordAdded", number)

    def _aggregate(self) -> str:
        return f"A{self._random.randrange(AGGREGATES)}"
