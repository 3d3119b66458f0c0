"""Messages with an ordering key, on a subscription that keeps order."""

import contextlib
from datetime import timedelta

from tests.pubsub_emulator.bus import Bus, texts


async def _ordered(bus: Bus, **fields: object) -> tuple[str, str]:
    topic = await bus.topic()
    return topic, await bus.subscription(topic, enable_message_ordering=True, **fields)


async def test_messages_of_a_key_come_in_the_order_of_their_publication(bus: Bus) -> None:
    """Whatever the batches of publishing and pulling, each key's messages come in order."""
    topic, subscription = await _ordered(bus)
    for start in (0, 10, 20):
        for key in ("a", "b"):
            await bus.publish(topic, *[f"{key}{n}" for n in range(start, start + 10)], key=key)

    received = texts(await bus.consume(subscription, 60))

    for key in ("a", "b"):
        assert [text for text in received if text[0] == key] == [f"{key}{n}" for n in range(30)]


async def test_a_stream_gets_each_key_in_order_while_messages_are_published(bus: Bus) -> None:
    """Streaming pull keeps each key's order, acknowledged or not."""
    topic, subscription = await _ordered(bus)
    async with bus.stream(subscription) as stream:
        for n in range(20):
            for key in ("a", "b", "c"):
                await bus.publish(topic, f"{key}{n}", key=key)
        received = await stream.receive(60)
        await stream.acknowledge(received)

    for key in ("a", "b", "c"):
        of_key = [text for text in texts(received) if text[0] == key]
        assert of_key == [f"{key}{n}" for n in range(20)]


async def test_a_pull_gets_nothing_of_a_key_that_another_pull_has_outstanding(bus: Bus) -> None:
    """A key's next batch waits for the acknowledgement of the one before; other keys do not."""
    topic, subscription = await _ordered(bus)
    await bus.publish(topic, "a0", "a1", "a2", key="a")
    first = await bus.pull(subscription, 2)
    assert texts(first) == ["a0", "a1"]

    await bus.publish(topic, "b0", key="b")

    assert texts(await bus.consume(subscription, 1)) == ["b0"]
    await bus.silence(subscription)
    await bus.acknowledge(subscription, first)
    assert texts(await bus.consume(subscription, 1)) == ["a2"]


async def test_a_refused_message_comes_again_before_anything_after_it(bus: Bus) -> None:
    """A nack does not break the order of its key."""
    topic, subscription = await _ordered(bus)
    await bus.publish(topic, *map(str, range(6)), key="k")

    await bus.refuse(subscription, await bus.pull(subscription, 3))

    assert texts(await bus.drain(subscription)) == list(map(str, range(6)))


async def test_an_expired_message_comes_again_before_anything_after_it(bus: Bus) -> None:
    """A missed deadline does not break the order of its key."""
    topic, subscription = await _ordered(bus)
    await bus.publish(topic, *map(str, range(4)), key="k")

    await bus.modify(subscription, await bus.pull(subscription, 2), 1)

    assert texts(await bus.consume(subscription, 4)) == list(map(str, range(4)))


async def test_what_follows_a_redelivered_message_is_redelivered_though_acknowledged(bus: Bus) -> None:
    """Google's consistent redelivery: a subscriber that goes back to a message finds its successors again."""
    topic, subscription = await _ordered(bus)
    await bus.publish(topic, "0", "1", "2", key="k")
    first, second, third = await bus.pull(subscription, 3)

    await bus.acknowledge(subscription, [second])
    await bus.refuse(subscription, [first])
    await bus.acknowledge(subscription, [third])

    assert texts(await bus.drain(subscription)) == ["0", "1", "2"]


async def test_a_retry_delay_holds_back_its_key_and_no_other(bus: Bus) -> None:
    """While a refused message waits for its backoff, its key waits and the others go on."""
    topic, subscription = await _ordered(
        bus, retry_policy={"minimum_backoff": timedelta(seconds=2), "maximum_backoff": timedelta(seconds=2)}
    )
    await bus.publish(topic, "a0", "a1", key="a")
    await bus.refuse(subscription, await bus.pull(subscription, 1))
    await bus.publish(topic, "a2", key="a")
    await bus.publish(topic, "b0", key="b")

    assert texts(await bus.consume(subscription, 4)) == ["b0", "a0", "a1", "a2"]


async def test_ours_a_key_stays_with_its_stream(bus: Bus) -> None:
    """Of two streams, one gets all of a key's messages while some are outstanding; both get some keys."""
    topic, subscription = await _ordered(bus)
    keys = [f"key-{n}" for n in range(16)]
    async with bus.stream(subscription) as one, bus.stream(subscription) as other:
        while not (one.messages and other.messages):  # until both are open
            await bus.publish(topic, "open", "open")
            with contextlib.suppress(TimeoutError):
                await one.until(lambda: bool(other.messages), 0.1)
        for key in keys:
            await bus.publish(topic, *map(str, range(5)), key=key)
        while sum(m.message.ordering_key in keys for m in (*one.messages, *other.messages)) < 80:
            with contextlib.suppress(TimeoutError):
                await one.until(lambda: False, 0.1)
        # Before one of them ends, and what it holds goes to the other.
        of_both = [[*one.messages], [*other.messages]]

    of_one, of_other = ({m.message.ordering_key for m in received} - {""} for received in of_both)
    assert of_one
    assert of_other
    assert of_one.isdisjoint(of_other)
    for received in of_both:
        for key in keys:
            of_key = [m for m in received if m.message.ordering_key == key]
            assert texts(of_key) in ([], ["0", "1", "2", "3", "4"])


async def test_a_key_moves_on_when_its_stream_is_gone(bus: Bus) -> None:
    """What a closed stream held comes to the next one when its deadline has passed, in order."""
    topic, subscription = await _ordered(bus)
    await bus.publish(topic, *map(str, range(4)), key="k")
    async with bus.stream(subscription) as gone:
        held = await gone.receive(4)
    await bus.modify(subscription, held, 1)

    async with bus.stream(subscription) as stream:
        assert texts(await stream.receive(1)) == ["0"]
        await stream.acknowledge(stream.messages)
        assert texts(await stream.receive(3)) == ["1", "2", "3"]


async def test_messages_without_a_key_need_no_order_on_an_ordered_subscription(bus: Bus) -> None:
    """They come though others of them are outstanding."""
    topic, subscription = await _ordered(bus)
    await bus.publish(topic, "0", "1")

    assert len(await bus.pull(subscription, 1)) == 1
    assert len(await bus.pull(subscription, 1)) == 1


async def test_a_key_means_nothing_on_a_subscription_without_order(bus: Bus) -> None:
    """There, the messages of a key are outstanding side by side."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "0", "1", key="k")

    assert len(await bus.pull(subscription, 1)) == 1
    assert len(await bus.pull(subscription, 1)) == 1


async def test_acknowledgements_out_of_turn_let_the_key_go_on(bus: Bus) -> None:
    """A subscriber may acknowledge a key's messages in any order; once all are, the next comes."""
    topic, subscription = await _ordered(bus)
    await bus.publish(topic, "0", "1", "2", key="k")
    for message in reversed(await bus.pull(subscription, 3)):
        await bus.acknowledge(subscription, [message])

    await bus.publish(topic, "3", key="k")

    assert texts(await bus.consume(subscription, 1)) == ["3"]
    await bus.silence(subscription)


async def test_ours_a_message_that_failed_comes_again_alone(bus: Bus) -> None:
    """A key that fails repeats one message, not all: after those before it, and before those behind it."""
    topic, subscription = await _ordered(bus)
    await bus.publish(topic, "0", "1", "2", key="k")
    async with bus.stream(subscription) as stream:
        held = await stream.receive(3)
        await stream.modify(held[1:2], 0)
        await stream.silence()

        await stream.acknowledge(held[:1])
        failed = await stream.receive(1)
        assert texts(failed) == ["1"]
        await stream.silence()

        await stream.acknowledge(failed)
        assert texts(await stream.receive(1)) == ["2"]


async def test_a_message_that_went_back_with_another_cannot_be_acknowledged_by_its_old_id(bus: Bus) -> None:
    """Its lease ended as an earlier message of its key was refused."""
    topic, subscription = await _ordered(bus)
    await bus.publish(topic, "0", "1", key="k")
    first, second = await bus.pull(subscription, 2)
    await bus.refuse(subscription, [first])
    again = await bus.consume(subscription, 1)

    await bus.acknowledge(subscription, [second])

    assert texts(again) == ["0"]
    assert texts(await bus.consume(subscription, 1)) == ["1"]
