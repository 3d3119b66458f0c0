"""The relay alone: `python -m benchmarks.loads.relay relay EVENTS` relays the log and prints the seconds.

`create` makes the topic instead.
"""

import asyncio
import sys
import time

import psycopg
import uvloop
from google.pubsub_v1 import PublisherAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.types import Topic

from benchmarks.relays import TOPIC
from benchmarks.statements import statements
from event_store.database.login import Login
from event_store.environment import Environment
from event_store.outbox.relay import Relay
from event_store.pubsub.channel import open_channel
from event_store.topology import Ordering, Route, RoutedTopic, Routing

_POLL_SECONDS = 0.02


async def _create() -> float:
    began = time.perf_counter()
    channel = await open_channel()
    publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
    await publisher.create_topic(Topic(name=TOPIC))
    await channel.close()
    return time.perf_counter() - began


async def _relay(events: int) -> float:
    routing = Routing(
        {"events": RoutedTopic("events", TOPIC, Ordering())}, (Route("*", "*", ("events",)),), "refuse"
    )
    relay = Relay(Login(Environment()), routing)
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        began = time.perf_counter()
        running = asyncio.create_task(relay.run())
        while True:
            row = await (await connection.execute(statements["relay_position"])).fetchone()
            if row is not None and row[0] == events:
                break
            await asyncio.sleep(_POLL_SECONDS)
        seconds = time.perf_counter() - began
    relay.stop()
    await running
    return seconds


if __name__ == "__main__":
    print(uvloop.run(_create() if sys.argv[1] == "create" else _relay(int(sys.argv[2]))))
