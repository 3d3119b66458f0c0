"""Carries a program out: its clients at the same time, each its steps one after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count, islice
from typing import Final

from event_store.client.client import Client
from event_store.model.event_filter import EventFilter
from tests.proxy import Proxy
from tests.system.history.history import (
    ANY,
    EXISTS,
    Append,
    Event,
    GetSnapshot,
    LoadAggregate,
    Part,
    ReadAggregate,
    ReadAll,
    SaveSnapshot,
    Subscribe,
)
from tests.system.history.program import (
    AGGREGATE_TYPES,
    EVENT_TYPES,
    LAST_TYPE,
    AppendStreamOf,
    AppendTo,
    Change,
    Cut,
    Follow,
    Get,
    Program,
    ReadLog,
    ReadOne,
    Repeat,
    Restart,
    Save,
    Step,
    Target,
)
from tests.system.history.recorder import Recorder

_EXPECTED: Final = {"any": ANY, "exists": EXISTS, "no_stream": 0}


class Driver:
    """Carries one program out.

    Args:
        recorder: Makes the calls.
        port: Where the service is.
        restart: Stops it in good order and starts another.
    """

    def __init__(self, recorder: Recorder, port: int, restart: Callable[[], Awaitable[None]]) -> None:
        self._recorder = recorder
        self._port = port
        self._restart = restart
        self._numbers = count(1)
        self._proxies: list[Proxy] = []

    async def run(self, program: Program) -> None:
        """Carry a program out, to the end of its subscriptions."""
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as following:
            async with asyncio.TaskGroup() as clients:
                for name, steps in zip("abcdefgh", program, strict=False):
                    proxy = await stack.enter_async_context(Proxy(self._port))
                    self._proxies.append(proxy)
                    client = await stack.enter_async_context(
                        Client(f"127.0.0.1:{proxy.port}", timeout_seconds=20)
                    )
                    clients.create_task(self._run(name, client, proxy, steps, following))
            async with Client(f"127.0.0.1:{self._port}", timeout_seconds=20) as client:
                last = Part("last", LAST_TYPE, ANY, (Event("last", LAST_TYPE, 0),))
                await self._recorder.append("last", client, Append((last,)))

    async def _run(  # noqa: C901, PLR0912 # one case for each kind of step
        self, name: str, client: Client, proxy: Proxy, steps: tuple[Step, ...], following: asyncio.TaskGroup
    ) -> None:
        recorder = self._recorder
        for step in steps:
            match step:
                case AppendTo():
                    await recorder.append(name, client, self._append(step))
                case Repeat(which, change) if recorder.requests:
                    call = recorder.requests[which % len(recorder.requests)]
                    await recorder.append(name, client, self._changed(call, change))
                case AppendStreamOf(appends):
                    await self._stream(name, client, appends)
                case ReadOne(aggregate, version, limit, backwards):
                    await recorder.read(
                        name, client, ReadAggregate(f"A{aggregate}", version, limit, backwards)
                    )
                case ReadLog(position, limit, backwards, event_filter):
                    await recorder.read(name, client, ReadAll(position, limit, backwards, event_filter))
                case Save():
                    await self._save(name, client, step)
                case Get(aggregate, with_events):
                    call_type = LoadAggregate if with_events else GetSnapshot
                    await recorder.get(name, client, call_type(f"A{aggregate}"))
                case Follow(position, event_filter):
                    follow = Subscribe(min(position, recorder.head), _and_last(event_filter))
                    following.create_task(recorder.follow(name, client, follow, LAST_TYPE))
                case Cut():
                    recorder.disturb(f"{name}: {step}")
                    proxy.cut()
                case Restart(abruptly):
                    recorder.disturb(f"{name}: {step}")
                    if abruptly:
                        for each in self._proxies:
                            each.cut()
                    await self._restart()

    async def _save(self, name: str, client: Client, step: Save) -> None:
        aggregate = f"A{step.aggregate}"
        kind = _type(step.aggregate, step.is_of_other_type)
        for difference in step.differences:
            version = max(1, self._recorder.version(aggregate) + difference)
            save = SaveSnapshot(aggregate, kind, version, next(self._numbers))
            await self._recorder.save(name, client, save)
            await self._recorder.get(name, client, GetSnapshot(aggregate))

    async def _stream(self, name: str, client: Client, appends: tuple[AppendTo, ...]) -> None:
        number = next(self._numbers)
        async with client.append_stream() as stream, asyncio.timeout(30):
            calls = [replace(self._append(each), stream=number) for each in appends]
            await asyncio.gather(*[await self._recorder.append_on(name, stream, call) for call in calls])

    def _append(self, step: AppendTo) -> Append:
        return Append(tuple(self._part(target) for target in step.targets))

    def _part(self, target: Target) -> Part:
        name = f"A{target.aggregate}"
        expected = (
            max(0, self._recorder.version(name) + target.expected)
            if isinstance(target.expected, int)
            else _EXPECTED[target.expected]
        )
        kind = _type(target.aggregate, target.is_of_other_type)
        return Part(name, kind, expected, tuple(islice(self._events(), target.count)))

    def _events(self) -> Iterator[Event]:
        while True:
            number = next(self._numbers)
            yield Event(f"e{number}", EVENT_TYPES[number % 2], number)

    def _changed(self, call: Append, change: Change) -> Append:
        *before, last = call.parts
        match change:
            case "data":
                *events, event = last.events
                last = replace(last, events=(*events, replace(event, data=-1)))
            case "fewer" if len(last.events) > 1:
                last = replace(last, events=last.events[:-1])
            case "fewer" if before:
                *before, last = before
            case "more":
                last = replace(last, events=(*last.events, next(self._events())))
            case "aggregate":
                last = replace(last, aggregate="B")
        return Append((*before, last))


def _type(aggregate: int, is_of_other_type: bool) -> str:
    return AGGREGATE_TYPES[(aggregate + is_of_other_type) % 2]


def _and_last(event_filter: EventFilter) -> EventFilter:
    """Let the event that ends an example pass."""
    aggregate_types, event_types = event_filter.aggregate_types, event_filter.event_types
    return EventFilter(
        aggregate_types and (*aggregate_types, LAST_TYPE), event_types and (*event_types, LAST_TYPE)
    )
