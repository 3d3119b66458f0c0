"""Queue the waiting messages of a subscription, and choose the consumer of each.

Invariants:
- A message is in exactly one place: `_plain`, a lane, or leased without a lane.
- A lane that can be served is in exactly one queue: its holder's while it has messages outstanding,
  otherwise the queue of the stream that its key hashes to, or the common one if there is no stream.
  So a key stays with its stream, without a table of keys and streams.
- A sleeping consumer has no room, or there is nothing to take.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from weakref import WeakKeyDictionary

from pubsub_emulator.broker.dispatch.ordering_lane import Lane, QueuedMessage
from pubsub_emulator.broker.dispatch.receiver import Receiver

BATCH_BYTES = 4_000_000  # of one response: far below what gRPC clients accept from Google


class Batch:
    """Collect the messages that one consumer takes at once.

    Args:
        consumer: The consumer that takes.
        limit: Maximum number of messages.
        oldest: Drop messages published before this time, in seconds since 1970.
    """

    def __init__(self, consumer: Receiver, limit: int, oldest: float) -> None:
        self.deliveries: list[QueuedMessage] = []
        self.consumer = consumer
        self._limit = limit
        self._oldest = oldest
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether no further message may be added."""
        return len(self.deliveries) >= self._limit or self._bytes >= BATCH_BYTES or not self.consumer.has_room

    def add(self, delivery: QueuedMessage) -> bool:
        """Add a message, unless it is older than `oldest` or already acknowledged; return whether added."""
        if delivery.acked or delivery.message.publish_time < self._oldest:
            return False
        self.deliveries.append(delivery)
        self._bytes += delivery.message.size_bytes
        delivery.consumer = self.consumer
        self.consumer.hold(delivery.message.size_bytes)
        return True


class Backlog:
    """The waiting messages of a subscription; messages in order are in a lane per ordering key."""

    def __init__(self) -> None:
        self.consumers: deque[Receiver] = deque()
        self.lanes: dict[str, Lane] = {}
        self._queues: WeakKeyDictionary[Receiver, deque[Lane]] = WeakKeyDictionary()
        self._plain: deque[QueuedMessage] = deque()
        self._common: deque[Lane] = deque()

    def __iter__(self) -> Iterator[QueuedMessage]:
        """Yield every waiting message, except those without a lane that wait for a retry delay."""
        yield from self._plain
        for lane in self.lanes.values():
            yield from lane.waiting

    def join(self, consumer: Receiver) -> None:
        """Add a consumer."""
        self.consumers.append(consumer)
        if consumer.stays:
            self._offer_again(self._common)

    def leave(self, consumer: Receiver) -> None:
        """Remove a consumer; it is handed nothing more."""
        consumer.closed = True
        if consumer in self.consumers:
            self.consumers.remove(consumer)
            self._offer_again(self._queue(consumer))

    def add(self, deliveries: Iterable[QueuedMessage]) -> None:
        """Queue new or returned messages without ordering."""
        self._plain.extend(deliveries)
        for consumer in self.consumers:
            consumer.wake()
        self.consumers.rotate(-1)  # the consumer that is woken first may take all, so rotate

    def lane(self, key: str) -> Lane:
        """Return the lane of an ordering key; create it if needed."""
        lane = self.lanes.get(key)
        if lane is None:
            self.lanes[key] = lane = Lane(key)
        return lane

    def offer(self, lane: Lane) -> None:
        """Queue a lane after its state changed, for the consumer that can serve it; drop an empty lane."""
        if lane.is_empty and self.lanes.get(lane.key) is lane:
            del self.lanes[lane.key]
        if lane.queued or not lane.waiting:
            return
        owner = lane.holder if lane.outstanding else self._stream_for(lane.key)
        if not lane.may_go_to(owner):
            return
        lane.queued = True
        if owner is not None:
            self._queue(owner).append(lane)
            owner.wake()
            return
        self._common.append(lane)
        for consumer in self.consumers:
            consumer.wake()

    def take(self, consumer: Receiver, limit: int, oldest: float) -> list[QueuedMessage]:
        """Hand out the messages that `consumer` may have now; the arguments are those of `Batch`."""
        batch = Batch(consumer, limit, oldest)
        self._take_from_lanes(self._queue(consumer), batch)
        self._take_from_lanes(self._common, batch)
        self._take_plain(batch)
        return batch.deliveries

    def drop_older(self, oldest: float) -> None:
        """Drop every waiting message that was published before `oldest`, in seconds since 1970."""
        self._plain = deque(delivery for delivery in self._plain if delivery.message.publish_time >= oldest)
        for lane in list(self.lanes.values()):
            while lane.waiting and lane.waiting[0].message.publish_time < oldest:
                lane.waiting.popleft()
            self.offer(lane)
        for lanes in (self._common, *map(self._queue, self.consumers)):
            self._forget_idle(lanes)

    def clear(self) -> None:
        """Drop every waiting message."""
        self._plain.clear()
        self._common.clear()
        self.lanes.clear()
        for consumer in self.consumers:
            self._queue(consumer).clear()

    def _queue(self, consumer: Receiver) -> deque[Lane]:
        """Return the queue of lanes for a consumer."""
        return self._queues.setdefault(consumer, deque())

    def _take_from_lanes(self, lanes: deque[Lane], batch: Batch) -> None:
        while lanes and not batch.is_full:
            lane = lanes.popleft()
            lane.queued = False
            while not batch.is_full and lane.may_go_to(batch.consumer):
                delivery = lane.hand_out(batch.consumer)
                if not batch.add(delivery):
                    lane.settle(delivery)
            self.offer(lane)

    def _take_plain(self, batch: Batch) -> None:
        streams = sum(1 for consumer in self.consumers if consumer.stays and consumer.has_room)
        fair_share = -(-len(self._plain) // streams) if streams and batch.consumer.stays else len(self._plain)
        while fair_share and not batch.is_full:
            fair_share -= 1
            batch.add(self._plain.popleft())

    def _stream_for(self, key: str) -> Receiver | None:
        streams = [consumer for consumer in self.consumers if consumer.stays]
        # Rendezvous hashing over the streams with room: a stream that joins or leaves moves few keys.
        return max(
            streams, key=lambda stream: (stream.has_room, hash(f"{stream.number} {key}")), default=None
        )

    def _forget_idle(self, lanes: deque[Lane]) -> None:
        """Remove lanes without a waiting message from a queue that may have no consumer."""
        for lane in lanes:
            lane.queued = bool(lane.waiting)
        kept = [lane for lane in lanes if lane.queued]
        lanes.clear()
        lanes.extend(kept)

    def _offer_again(self, lanes: deque[Lane]) -> None:
        moved = list(lanes)
        lanes.clear()
        for lane in moved:
            lane.queued = False
            self.offer(lane)
