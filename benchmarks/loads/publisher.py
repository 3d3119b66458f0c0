"""Google's publisher client, tuned: `python -m benchmarks.loads.publisher MESSAGES KEYS` prints the seconds.

Its messages have the size of the relay's, their attributes and ordering keys, in turns as in the log.
"""

import os
import sys
import time

import grpc
from google.cloud.pubsub_v1 import PublisherClient
from google.cloud.pubsub_v1.types import BatchSettings, PublisherOptions
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from benchmarks.relays import TOPIC

_DATA = b"x" * 750
_ATTRIBUTES = {
    "event_id": "01890000-0000-7000-8000-000000000000",
    "event_type": "WordAdded",
    "aggregate_id": "01890000-0000-7000-8000-000000000000",
    "aggregate_type": "Vocabulary",
    "event_version": "1",
    "global_position": "123456",
    "occurred_at": "2026-01-01T00:00:00.000000Z",
}


def _run(messages: int, keys: int) -> float:
    channel = grpc.insecure_channel(os.environ["PUBSUB_EMULATOR_HOST"])
    publisher = PublisherClient(
        BatchSettings(max_messages=1000, max_bytes=9_000_000, max_latency=0.01),
        PublisherOptions(enable_message_ordering=True),
        transport=PublisherGrpcTransport(channel=channel),
    )
    began = time.perf_counter()
    futures = [
        publisher.publish(TOPIC, _DATA, ordering_key=f"key-{number % keys}", **_ATTRIBUTES)
        for number in range(messages)
    ]
    for future in futures:
        future.result()
    seconds = time.perf_counter() - began
    publisher.stop()
    return seconds


if __name__ == "__main__":
    print(_run(int(sys.argv[1]), int(sys.argv[2])))
