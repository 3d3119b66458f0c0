"""Topics and subscriptions, created on the running Pub/Sub."""

from contextlib import suppress
from typing import Any, Final

from google.api_core import exceptions
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import ParseDict
from google.pubsub_v1 import types

from local_gcp.pubsub_api import pubsub_rules
from local_gcp.pubsub_api.broker import CALL, Broker, exists, google_errors
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record

# The provider's own properties; all others are fields of Pub/Sub's message.
_NOT_SENT: Final = frozenset({"project", "tags", "deletionPolicy"})


class TopicKind(Kind):
    """A topic."""

    limits = pubsub_rules.TOPIC

    def __init__(self, bus: Broker) -> None:
        self._bus = bus

    def identify(self, inputs: Properties, place: Place) -> str:
        """Return the topic's full name."""
        return f"projects/{place.of(inputs).project}/topics/{inputs['name']}"

    async def create(self, draft: Draft) -> Properties:
        """Create the topic, or adopt an existing one that is not recorded."""
        with google_errors(), suppress(exceptions.AlreadyExists):
            await self._bus.publisher.create_topic(
                request=_message(types.Topic, draft.id, draft.inputs), **CALL
            )
        return _outputs(draft)

    async def update(self, record: Record, draft: Draft) -> Properties:
        """Send the changed fields."""
        mask = _mask(record.inputs, draft.inputs)
        request = types.UpdateTopicRequest(
            topic=_message(types.Topic, draft.id, draft.inputs), update_mask=mask
        )
        with google_errors():
            await self._bus.publisher.update_topic(request=request, **CALL)
        return _outputs(draft)

    async def delete(self, record: Record) -> None:
        """Delete the topic; its subscriptions stay, without a topic."""
        with google_errors(), suppress(exceptions.NotFound):
            await self._bus.publisher.delete_topic(topic=record.id, **CALL)

    async def exists(self, record: Record) -> bool:
        """Tell whether Pub/Sub has the topic."""
        return await exists(self._bus.publisher.get_topic(topic=record.id, **CALL))

    async def restore(self, record: Record) -> None:
        """Create the topic again if Pub/Sub has lost it."""
        await self.create(Draft(id=record.id, inputs=record.inputs, place=Place()))


class SubscriptionKind(Kind):
    """A subscription."""

    limits = pubsub_rules.SUBSCRIPTION

    def __init__(self, bus: Broker) -> None:
        self._bus = bus

    def identify(self, inputs: Properties, place: Place) -> str:
        """Return the subscription's full name."""
        return f"projects/{place.of(inputs).project}/subscriptions/{inputs['name']}"

    async def create(self, draft: Draft) -> Properties:
        """Create the subscription, replacing an existing one that is not recorded."""
        request = self._message(draft.id, draft.inputs)
        with google_errors():
            try:
                await self._bus.subscriber.create_subscription(request=request, **CALL)
            except exceptions.AlreadyExists:
                await self._bus.subscriber.delete_subscription(subscription=draft.id, **CALL)
                await self._bus.subscriber.create_subscription(request=request, **CALL)
        return {"ackDeadlineSeconds": 10, "expirationPolicy": {"ttl": "2678400s"}, **_outputs(draft)}

    async def update(self, record: Record, draft: Draft) -> Properties:
        """Send the changed fields."""
        request = types.UpdateSubscriptionRequest(
            subscription=self._message(draft.id, draft.inputs), update_mask=_mask(record.inputs, draft.inputs)
        )
        with google_errors():
            await self._bus.subscriber.update_subscription(request=request, **CALL)
        return {**record.outputs, **_outputs(draft)}

    async def delete(self, record: Record) -> None:
        """Delete the subscription with its messages."""
        with google_errors(), suppress(exceptions.NotFound):
            await self._bus.subscriber.delete_subscription(subscription=record.id, **CALL)

    async def exists(self, record: Record) -> bool:
        """Tell whether Pub/Sub has the subscription."""
        return await exists(self._bus.subscriber.get_subscription(subscription=record.id, **CALL))

    async def restore(self, record: Record) -> None:
        """Create the subscription again if Pub/Sub has lost it."""
        with google_errors(), suppress(exceptions.AlreadyExists):
            await self._bus.subscriber.create_subscription(
                request=self._message(record.id, record.inputs), **CALL
            )

    def _message(self, identity: str, inputs: Properties) -> Any:
        given = {**inputs, "topic": full_name("topics", inputs["topic"], identity.split("/")[1])}
        if inputs.get("expirationPolicy", {}).get("ttl") == "":
            given["expirationPolicy"] = {}  # a policy without a time: never expires
        retention = min(float(inputs["messageRetentionDuration"][:-1]), self._bus.longest_retention_seconds)
        given["messageRetentionDuration"] = f"{retention:.0f}s"
        return _message(types.Subscription, identity, given)


def full_name(collection: str, name: str, project: str) -> str:
    """Return `projects/P/topics/T` for `T`; a full name is returned as it is."""
    return name if "/" in name else f"projects/{project}/{collection}/{name}"


def _message(message: Any, identity: str, inputs: Properties) -> Any:
    given = {key: value for key, value in inputs.items() if key not in _NOT_SENT}
    raw = ParseDict({**given, "name": identity}, message.pb(message()))
    return message.wrap(raw)


def _mask(old: Properties, new: Properties) -> FieldMask:
    mask = FieldMask()
    changed = [key for key in {**old, **new} if key not in _NOT_SENT and old.get(key) != new.get(key)]
    mask.FromJsonString(",".join(changed))  # from camelCase
    return mask


def _outputs(draft: Draft) -> Properties:
    labels = draft.inputs.get("labels", {})
    return {
        "project": draft.place.of(draft.inputs).project,
        "effectiveLabels": labels,
        "pulumiLabels": labels,
        **draft.inputs,
    }
