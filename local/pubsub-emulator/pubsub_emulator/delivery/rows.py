"""Export to BigQuery: write each message as a row, here a line of JSON in the table's file.

One loop per subscription takes messages like any consumer, appends them and acknowledges them. A loop ends
with its subscription, or when it is replaced or stopped. There is no table here: with `use_table_schema` the
columns are the fields of each message.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pubsub_emulator.broker.dispatch.ordering_lane import QueuedMessage
from pubsub_emulator.broker.dispatch.receiver import Receiver
from pubsub_emulator.broker.subscription import Subscription
from pubsub_emulator.errors import PubSubError

ROWS_AT_ONCE = 1_000


async def write_rows(subscription: Subscription, folder: Path) -> None:
    """Append a subscription's messages to `folder/PROJECT.DATASET.TABLE.jsonl` until it ends."""
    consumer = Receiver()
    subscription.open(consumer)
    try:
        while True:
            taken = subscription.take(consumer, ROWS_AT_ONCE)
            if taken:
                _append(subscription, taken, folder)
            else:
                await consumer.woken()
    except PubSubError:
        pass  # the subscription is gone
    finally:
        subscription.close(consumer)


def _append(subscription: Subscription, taken: Iterable[QueuedMessage], folder: Path) -> None:
    """Write messages as rows and acknowledge them; nack invalid rows, and all if the write fails."""
    written: list[str] = []
    lines: list[str] = []
    for delivery in taken:
        try:
            lines.append(json.dumps(_row(subscription, delivery.message.parse())) + "\n")
            written.append(delivery.ack_id)
        except ValueError:  # not a JSON object, so without columns
            subscription.modify_deadline([delivery.ack_id], 0)
    table = subscription.config.bigquery_config.table.replace(":", ".")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{table}.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError:
        subscription.modify_deadline(written, 0)
    else:
        subscription.acknowledge(written)


def _row(subscription: Subscription, raw: Any) -> dict[str, Any]:
    config = subscription.config.bigquery_config
    row: dict[str, Any] = {"data": raw.data.decode(errors="replace")}
    if config.use_topic_schema or config.use_table_schema:
        row = json.loads(raw.data)
        if not isinstance(row, dict):
            raise ValueError("no object")
    if config.write_metadata:
        ordering = {"orderingKey": raw.ordering_key} if raw.ordering_key else {}
        row |= {
            "subscription_name": subscription.name,
            "message_id": raw.message_id,
            "publish_time": raw.publish_time.ToJsonString(),
            "attributes": json.dumps({**raw.attributes, **ordering}),
        }
    return row
