"""PostgreSQL, the service, the relay and the projection are killed at random under load: nothing is lost.

Pub/Sub is not among them: the embedded one forgets what it has acknowledged when it is killed, which Google's
does not. What the relay and a projection do then is tested point by point, see
`tests/event_store/outbox/relay/test_crashes.py`.
"""

import asyncio
import os
from collections import defaultdict
from contextlib import AsyncExitStack
from random import Random
from typing import Final

from event_store.client.client import Client
from event_store.model.event_filter import EventFilter
from local_gcp.system.ports import free_port
from pubsub_emulator import PubSubServer
from tests.conftest import TestDatabase, kill
from tests.event_store.consumer.flow import PATH, PROJECT, ROUTING, TOPIC, subscribe
from tests.event_store.consumer.words import Words
from tests.pubsub_emulator.bus import Bus, bus_at
from tests.system.crash.load import Load
from tests.system.crash.supervisor import supervised
from tests.system.history.checker import check
from tests.system.history.history import ANY, Append, Event, History, Part, Subscribe
from tests.system.history.names import Names
from tests.system.history.recorder import Recorder

SEED: Final = int(os.environ.get("CRASH_SEED", "1"))
CLIENTS: Final = 5
EVENTS_BETWEEN_KILLS: Final = 80
VICTIMS: Final = ["PostgreSQL"] * 3 + ["service"] * 2 + ["relay", "projection", "projection"]
LOAD_SECONDS: Final = 60.0
SETTLING_SECONDS: Final = 60.0  # a lease of 15 s and a deadline of 10 s run out before
LAST_TYPE: Final = "Last"
AUDIT: Final = f"projects/{PROJECT}/subscriptions/audit"


async def test_nothing_acknowledged_is_lost_whatever_is_killed(mortal_database: TestDatabase) -> None:
    """Gapless, ordered and once in the log; every event reaches each subscription and has its effect once."""
    random = Random(SEED)  # noqa: S311 # a test's choices are no secret
    recorder = Recorder(Names(0))
    load = Load(recorder, random, EVENTS_BETWEEN_KILLS * (len(VICTIMS) + 1))
    words = Words(mortal_database.superuser)
    await words.create()
    port = free_port()
    async with AsyncExitStack() as stack:
        pubsub = await stack.enter_async_context(PubSubServer())
        bus = await stack.enter_async_context(bus_at(pubsub.address))
        await _prepare(bus)
        variables = {
            **mortal_database.variables(),
            "PUBSUB_EMULATOR_HOST": pubsub.address,
            "EVENT_STORE_ROUTING": ROUTING.to_json(),
        }
        target = f"127.0.0.1:{port}"
        command = ("-m", "event_store.cli.main")
        victims = {
            "service": await stack.enter_async_context(
                supervised(*command, "serve", **variables, PORT=str(port), EVENT_STORE_RELAY="off")
            ),
            "relay": await stack.enter_async_context(supervised(*command, "relay", **variables)),
            "projection": await stack.enter_async_context(
                supervised(
                    *("-m", "tests.event_store.consumer.crashing_projection"),
                    *("none", target, PATH, words.conninfo),
                    **variables,
                )
            ),
        }

        async def kill_at_random() -> None:
            for number, victim in enumerate(random.sample(VICTIMS, len(VICTIMS)), 1):
                await load.until(EVENTS_BETWEEN_KILLS * number)
                recorder.disturb(f"{victim} is killed")
                if victim == "PostgreSQL":
                    kill(mortal_database.postgres)
                    mortal_database.postgres.start()
                else:
                    await victims[victim].kill()

        client = await stack.enter_async_context(Client(target, timeout_seconds=LOAD_SECONDS))
        async with asyncio.timeout(LOAD_SECONDS), asyncio.TaskGroup() as following:
            for number in range(2):
                call = Subscribe(0, EventFilter())
                following.create_task(recorder.follow(f"follower {number}", client, call, LAST_TYPE))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(kill_at_random())
                for number in range(CLIENTS):
                    tasks.create_task(load.run(f"client {number}", client))
            last = Part("last", LAST_TYPE, ANY, (Event("last", LAST_TYPE, 0),))
            await recorder.append("last", client, Append((last,)))
        history = await recorder.history(mortal_database.superuser)
        check(history)
        async with asyncio.timeout(SETTLING_SECONDS):
            await _check_bus(bus, history)
            await _check_projection(words, recorder, history)


async def _prepare(bus: Bus) -> None:
    await bus.topic(name=TOPIC)
    await subscribe(bus)
    await bus.subscription(TOPIC, name=AUDIT, enable_message_ordering=True)


async def _check_bus(bus: Bus, history: History) -> None:
    """See that every event comes, and none before the one before it of its aggregate."""
    missing = {event.position for event in history.log}
    versions: dict[str, int] = defaultdict(int)
    while missing:
        messages = await bus.pull_once(AUDIT, 1000)
        for message in messages:
            attributes = message.message.attributes
            aggregate_id, version = attributes["aggregate_id"], int(attributes["event_version"])
            assert version <= versions[aggregate_id] + 1, "an event came before the one before it"
            versions[aggregate_id] = max(version, versions[aggregate_id])
            missing.discard(int(attributes["global_position"]))
        if messages:
            await bus.acknowledge(AUDIT, messages)


async def _check_projection(words: Words, recorder: Recorder, history: History) -> None:
    """See that the projection's tables become what the log says, each effect once and in order."""
    expected: dict[str, list[str]] = defaultdict(list)
    for each in history.log:
        expected[recorder.names.uuid(each.aggregate)].append(str(each.event.data))
    total = len(history.log)
    while sum(map(len, (await asyncio.to_thread(words.effects)).values())) < total:  # noqa: ASYNC110 # no signal
        await asyncio.sleep(0.1)
    assert words.effects() == expected
