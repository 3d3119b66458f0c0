"""The service google.pubsub.v1.Publisher: manage topics and publish messages."""

from typing import Any

from pubsub_emulator import wire
from pubsub_emulator.api.masks import masked
from pubsub_emulator.api.page import page
from pubsub_emulator.api.rpc import Methods
from pubsub_emulator.broker.catalog import Catalog
from pubsub_emulator.broker.limits import check_project, check_publish
from pubsub_emulator.broker.settings import TopicSettings

MUTABLE = frozenset(
    (
        "ingestion_data_source_settings",
        "kms_key_name",
        "labels",
        "message_retention_duration",
        "message_storage_policy",
        "message_transforms",
        "schema_settings",
    )
)


class Publisher:
    """Serve the Publisher calls on a catalog.

    Args:
        catalog: The resources.
    """

    service = "google.pubsub.v1.Publisher"

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def methods(self) -> Methods:
        """The handlers of the service, by method name."""
        return {
            "CreateTopic": (wire.Topic, self._create_topic),
            "UpdateTopic": (wire.UpdateTopicRequest, self._update_topic),
            "Publish": (wire.PublishRequest, self._publish),
            "GetTopic": (wire.GetTopicRequest, self._get_topic),
            "ListTopics": (wire.ListTopicsRequest, self._list_topics),
            "ListTopicSubscriptions": (wire.ListTopicSubscriptionsRequest, self._list_topic_subscriptions),
            "ListTopicSnapshots": (wire.ListTopicSnapshotsRequest, self._list_topic_snapshots),
            "DeleteTopic": (wire.DeleteTopicRequest, self._delete_topic),
            "DetachSubscription": (wire.DetachSubscriptionRequest, self._detach_subscription),
        }

    def _create_topic(self, request: Any) -> Any:
        return self._catalog.create_topic(request).config

    def _update_topic(self, request: Any) -> Any:
        topic = self._catalog.topic(request.topic.name)
        config = masked(topic.config, request.topic, request.update_mask, MUTABLE)
        self._catalog.check_schema(config, topic.config)
        topic.configure(config, TopicSettings.parse(config))
        return config

    def _publish(self, request: Any) -> Any:
        topic = self._catalog.topic(request.topic)
        check_publish(request.messages, request.ByteSize())
        self._catalog.hold_to_schema(topic, request.messages)
        return wire.PublishResponse(message_ids=topic.publish(request.messages))

    def _get_topic(self, request: Any) -> Any:
        return self._catalog.topic(request.topic).config

    def _list_topics(self, request: Any) -> Any:
        check_project(request.project)
        prefix = f"{request.project}/"
        names, token = page((name for name in self._catalog.topics if name.startswith(prefix)), request)
        topics = [self._catalog.topics[name].config for name in names]
        return wire.ListTopicsResponse(topics=topics, next_page_token=token)

    def _list_topic_subscriptions(self, request: Any) -> Any:
        names, token = page(self._catalog.topic(request.topic).subscriptions, request)
        return wire.ListTopicSubscriptionsResponse(subscriptions=names, next_page_token=token)

    def _list_topic_snapshots(self, request: Any) -> Any:
        names, token = page(self._catalog.topic(request.topic).snapshots, request)
        return wire.ListTopicSnapshotsResponse(snapshots=names, next_page_token=token)

    def _delete_topic(self, request: Any) -> Any:
        self._catalog.delete_topic(request.topic)
        return wire.Empty()

    def _detach_subscription(self, request: Any) -> Any:
        self._catalog.subscription(request.subscription).detach()
        return wire.DetachSubscriptionResponse()
