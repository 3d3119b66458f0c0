"""The way of an event in these tests: a topic, its subscription and a consumer of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from event_store.consumer.consumer import Consumer
from event_store.consumer.streaming_pull import EventHandler
from event_store.topology import Ordering, Route, RoutedTopic, Routing, Subscription
from tests.event_store.consumer.words import PATIENCE_SECONDS
from tests.pubsub_emulator.bus import Bus

PROJECT: Final = "project-of-words"
SUBSCRIPTION: Final = Subscription(name="words", topic="vocabulary")
PATH: Final = f"projects/{PROJECT}/subscriptions/words"
DEAD: Final = f"projects/{PROJECT}/subscriptions/{SUBSCRIPTION.dead_letter_name}"
TOPIC: Final = f"projects/{PROJECT}/topics/vocabulary"
ROUTING: Final = Routing(
    {"vocabulary": RoutedTopic("vocabulary", TOPIC, Ordering())},
    (Route("*", "*", ("vocabulary",)),),
    "refuse",
)


async def subscribe(bus: Bus) -> None:
    """Create the subscription, and its dead letters."""
    dead_topic = await bus.topic(name=f"projects/{PROJECT}/topics/{SUBSCRIPTION.dead_letter_name}")
    await bus.subscription(dead_topic, name=DEAD)
    await bus.subscription(
        TOPIC,
        name=PATH,
        enable_message_ordering=True,
        retry_policy={"minimum_backoff": timedelta(0), "maximum_backoff": timedelta(0)},
        dead_letter_policy={"dead_letter_topic": dead_topic, "max_delivery_attempts": 5},
    )


@asynccontextmanager
async def consuming(handler: EventHandler) -> AsyncIterator[Consumer]:
    """Run a consumer of the subscription; it is stopped in the end."""
    consumer = Consumer(PATH, handler, concurrency=4)
    task = asyncio.create_task(consumer.run())
    try:
        yield consumer
    finally:
        consumer.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task
