"""The delivery loops of push and export subscriptions."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from pubsub_emulator.broker.clock import Clock
from pubsub_emulator.broker.subscription import Subscription
from pubsub_emulator.delivery.objects import write_objects
from pubsub_emulator.delivery.push import push
from pubsub_emulator.delivery.rows import write_rows
from pubsub_emulator.errors import UnimplementedError

Loop = Callable[[Subscription], Awaitable[None]]


class DeliveryLoops:
    """Start and stop the delivery loop of each push or export subscription.

    Args:
        clock: The server's clock.
        exports: Folder that replaces Cloud Storage and BigQuery; None rejects exports.
    """

    def __init__(self, clock: Clock, exports: Path | None = None) -> None:
        self._kinds: dict[str, Loop] = {"push": push}
        if exports is not None:
            self._kinds["cloud_storage_config"] = lambda each: write_objects(each, exports / "storage", clock)
            self._kinds["bigquery_config"] = lambda each: write_rows(each, exports / "bigquery")
        self._running: dict[Subscription, tuple[str, asyncio.Task[None]]] = {}

    def check(self, delivery: str) -> None:
        """Reject a delivery method that this server does not have.

        Raises:
            UnimplementedError: The delivery method is not available.
        """
        if delivery and delivery not in self._kinds:
            raise UnimplementedError(
                f"This local Pub/Sub has no {delivery}: start it with a folder for exports, or try it on"
                " Google Cloud."
            )

    def follow(self, subscription: Subscription) -> None:
        """Start or stop the loop after a subscription's change; a running loop reads new settings itself."""
        delivery = "" if subscription.config.detached else subscription.settings.delivery
        kind, task = self._running.get(subscription, ("", None))
        if kind == delivery:
            return
        if task is not None:
            del self._running[subscription]
            task.cancel()
        if delivery:
            task = asyncio.ensure_future(self._run(delivery, subscription))
            self._running[subscription] = delivery, task
            task.add_done_callback(lambda done: self._forget(subscription, done))

    async def stop(self) -> None:
        """Stop every loop and abandon its requests; close open objects."""
        tasks = [task for _, task in self._running.values()]
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, delivery: str, subscription: Subscription) -> None:
        await self._kinds[delivery](subscription)

    def _forget(self, subscription: Subscription, done: asyncio.Task[None]) -> None:
        if self._running.get(subscription, ("", None))[1] is done:
            del self._running[subscription]
