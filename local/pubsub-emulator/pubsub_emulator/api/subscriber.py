"""The service google.pubsub.v1.Subscriber, except for Pull and StreamingPull."""

from typing import Any

from pubsub_emulator import wire
from pubsub_emulator.api.masks import masked
from pubsub_emulator.api.page import page
from pubsub_emulator.api.rpc import Methods
from pubsub_emulator.broker.catalog import Catalog
from pubsub_emulator.broker.limits import (
    MODIFY_DEADLINE_SECONDS,
    check_acknowledgement,
    check_project,
    check_range,
)
from pubsub_emulator.broker.settings import SubscriptionSettings, delivery_of
from pubsub_emulator.broker.subscription import Subscription
from pubsub_emulator.delivery.loops import DeliveryLoops
from pubsub_emulator.errors import AckIdsError, FailedPreconditionError, InvalidArgumentError

MUTABLE = frozenset(
    (
        "ack_deadline_seconds",
        "bigquery_config",
        "bigtable_config",
        "cloud_storage_config",
        "dead_letter_policy",
        "enable_exactly_once_delivery",
        "expiration_policy",
        "labels",
        "message_retention_duration",
        "message_transforms",
        "push_config",
        "retain_acked_messages",
        "retry_policy",
    )
)
SNAPSHOT_MUTABLE = frozenset(("expire_time", "labels"))


class Subscriber:
    """Serve the Subscriber calls on a catalog.

    Args:
        catalog: The resources.
        loops: The delivery loops of push and export subscriptions.
    """

    service = "google.pubsub.v1.Subscriber"

    def __init__(self, catalog: Catalog, loops: DeliveryLoops) -> None:
        self._catalog = catalog
        self._loops = loops

    def methods(self) -> Methods:
        """The handlers of the service, by method name."""
        return {
            "CreateSubscription": (wire.Subscription, self._create_subscription),
            "GetSubscription": (wire.GetSubscriptionRequest, self._get_subscription),
            "UpdateSubscription": (wire.UpdateSubscriptionRequest, self._update_subscription),
            "ListSubscriptions": (wire.ListSubscriptionsRequest, self._list_subscriptions),
            "DeleteSubscription": (wire.DeleteSubscriptionRequest, self._delete_subscription),
            "ModifyPushConfig": (wire.ModifyPushConfigRequest, self._modify_push_config),
            "Acknowledge": (wire.AcknowledgeRequest, self._acknowledge),
            "ModifyAckDeadline": (wire.ModifyAckDeadlineRequest, self._modify_ack_deadline),
            "Seek": (wire.SeekRequest, self._seek),
            "CreateSnapshot": (wire.CreateSnapshotRequest, self._create_snapshot),
            "GetSnapshot": (wire.GetSnapshotRequest, self._get_snapshot),
            "UpdateSnapshot": (wire.UpdateSnapshotRequest, self._update_snapshot),
            "ListSnapshots": (wire.ListSnapshotsRequest, self._list_snapshots),
            "DeleteSnapshot": (wire.DeleteSnapshotRequest, self._delete_snapshot),
        }

    def _create_subscription(self, request: Any) -> Any:
        self._loops.check(delivery_of(request))
        subscription = self._catalog.create_subscription(request)
        self._loops.follow(subscription)
        return _described(subscription)

    def _get_subscription(self, request: Any) -> Any:
        return _described(self._catalog.subscription(request.subscription))

    def _update_subscription(self, request: Any) -> Any:
        subscription = self._catalog.subscription(request.subscription.name)
        return self._configure(
            subscription, masked(subscription.config, request.subscription, request.update_mask, MUTABLE)
        )

    def _modify_push_config(self, request: Any) -> Any:
        subscription = self._catalog.subscription(request.subscription)
        config = wire.Subscription()
        config.CopyFrom(subscription.config)
        config.push_config.CopyFrom(request.push_config)
        self._configure(subscription, config)
        return wire.Empty()

    def _configure(self, subscription: Subscription, config: Any) -> Any:
        settings = SubscriptionSettings.parse(config)
        self._loops.check(settings.delivery)
        if settings.dead_letter_policy != subscription.settings.dead_letter_policy:
            self._catalog.check_dead_letter_topic(settings)
        subscription.configure(config, settings)
        self._loops.follow(subscription)
        return _described(subscription)

    def _list_subscriptions(self, request: Any) -> Any:
        check_project(request.project)
        prefix = f"{request.project}/"
        names, token = page(
            (name for name in self._catalog.subscriptions if name.startswith(prefix)), request
        )
        found = [_described(self._catalog.subscriptions[name]) for name in names]
        return wire.ListSubscriptionsResponse(subscriptions=found, next_page_token=token)

    def _delete_subscription(self, request: Any) -> Any:
        self._catalog.delete_subscription(request.subscription)
        return wire.Empty()

    def _acknowledge(self, request: Any) -> Any:
        check_acknowledgement(request)
        subscription = self._catalog.subscription(request.subscription)
        failures = subscription.acknowledge(request.ack_ids)
        if failures and subscription.settings.exactly_once:
            raise AckIdsError(failures)
        return wire.Empty()

    def _modify_ack_deadline(self, request: Any) -> Any:
        check_acknowledgement(request)
        check_range("ack_deadline_seconds", request.ack_deadline_seconds, MODIFY_DEADLINE_SECONDS)
        subscription = self._catalog.subscription(request.subscription)
        failures = subscription.modify_deadline(request.ack_ids, request.ack_deadline_seconds)
        if failures and subscription.settings.exactly_once:
            raise AckIdsError(failures)
        return wire.Empty()

    def _seek(self, request: Any) -> Any:
        subscription = self._catalog.subscription(request.subscription)
        target = request.WhichOneof("target")
        if target is None:
            raise InvalidArgumentError("A seek needs a target: a time or a snapshot.")
        if target == "time":
            subscription.seek(request.time.ToMicroseconds() / 1e6)
            return wire.SeekResponse()
        snapshot = self._catalog.snapshot(request.snapshot)
        if snapshot.topic is None or snapshot.topic is not subscription.topic:
            raise FailedPreconditionError(
                f"The snapshot {request.snapshot} is not of the subscription's topic,"
                f" {subscription.config.topic}."
            )
        subscription.replace(snapshot.messages)
        return wire.SeekResponse()

    def _create_snapshot(self, request: Any) -> Any:
        return self._catalog.create_snapshot(request).config

    def _get_snapshot(self, request: Any) -> Any:
        return self._catalog.snapshot(request.snapshot).config

    def _update_snapshot(self, request: Any) -> Any:
        snapshot = self._catalog.snapshot(request.snapshot.name)
        config = masked(snapshot.config, request.snapshot, request.update_mask, SNAPSHOT_MUTABLE)
        snapshot.configure(config, self._catalog.clock.now())
        return config

    def _list_snapshots(self, request: Any) -> Any:
        check_project(request.project)
        prefix = f"{request.project}/"
        names, token = page((name for name in self._catalog.snapshots if name.startswith(prefix)), request)
        found = [self._catalog.snapshots[name].config for name in names]
        return wire.ListSnapshotsResponse(snapshots=found, next_page_token=token)

    def _delete_snapshot(self, request: Any) -> Any:
        self._catalog.delete_snapshot(request.snapshot)
        return wire.Empty()


def _described(subscription: Subscription) -> Any:
    """Return a subscription's message, completed with the fields that depend on its topic."""
    config = subscription.config
    config.ClearField("topic_message_retention_duration")
    if subscription.topic is not None and subscription.topic.config.HasField("message_retention_duration"):
        config.topic_message_retention_duration.CopyFrom(subscription.topic.config.message_retention_duration)
    return config
