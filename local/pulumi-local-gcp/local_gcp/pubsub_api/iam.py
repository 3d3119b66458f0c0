"""Grants on topics and subscriptions, made on the running Pub/Sub if it supports them."""

import asyncio
from typing import Any, Final

from google.api_core import exceptions

from local_gcp.pubsub_api import pubsub_rules
from local_gcp.pubsub_api.broker import CALL_SECONDS, Broker, google_errors
from local_gcp.pubsub_api.topics_and_subscriptions import full_name
from local_gcp.resource import Limits
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.place import Place, digits
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record


class PubSubIamMemberKind(Kind):
    """A role granted to a member on a topic or a subscription.

    Google's official emulator has no grants, so there they are only recorded.

    Args:
        bus: The running Pub/Sub.
        limits: Google's checks of the grant.
        collection: `topics` or `subscriptions`.
    """

    def __init__(self, bus: Broker, limits: Limits, collection: str) -> None:
        self._bus = bus
        self.limits = limits
        self._collection = collection
        self._changing = asyncio.Lock()  # a policy is read, changed and written as a whole

    def identify(self, inputs: Properties, place: Place) -> str:
        """Return the grant's id."""
        name = full_name(self._collection, inputs[self.limits.name], place.of(inputs).project)
        return f"{name}/{inputs['role']}/{inputs['member']}"

    async def create(self, draft: Draft) -> Properties:
        """Grant the role."""
        await self._change(draft.id, draft.inputs, granted=True)
        return {
            "project": draft.place.of(draft.inputs).project,
            "etag": f"BwY{digits(draft.id, 8)}=",
            **draft.inputs,
        }

    async def update(self, _record: Record, draft: Draft) -> Properties:
        """Grant the role again."""
        return await self.create(draft)

    async def delete(self, record: Record) -> None:
        """Revoke the role; a grant on a missing topic or subscription is already gone."""
        await self._change(record.id, record.inputs, granted=False)

    async def restore(self, record: Record) -> None:
        """Grant the role again, since Pub/Sub may have lost it."""
        await self._change(record.id, record.inputs, granted=True)

    async def _change(self, identity: str, inputs: Properties, *, granted: bool) -> None:
        resource = "/".join(identity.split("/")[:4])
        role, member = inputs["role"], inputs["member"]
        client = self._bus.publisher if self._collection == "topics" else self._bus.subscriber
        async with self._changing:
            with google_errors():
                try:
                    policy: Any = await client.get_iam_policy(request={"resource": resource}, **_CALL)
                except exceptions.MethodNotImplemented:
                    return
                except exceptions.NotFound:
                    if granted:
                        raise
                    return
                binding = next((each for each in policy.bindings if each.role == role), None)
                if binding is None:
                    binding = policy.bindings.add(role=role)
                members = set(binding.members) - {member} | ({member} if granted else set())
                binding.ClearField("members")
                binding.members.extend(sorted(members))
                await client.set_iam_policy(request={"resource": resource, "policy": policy}, **_CALL)


_CALL: Final[Any] = {"timeout": CALL_SECONDS}


def pubsub_iam_kinds(bus: Broker) -> tuple[Kind, ...]:
    """Return the two types of grants, on topics and on subscriptions."""
    return (
        PubSubIamMemberKind(bus, pubsub_rules.TOPIC_IAM_MEMBER, "topics"),
        PubSubIamMemberKind(bus, pubsub_rules.SUBSCRIPTION_IAM_MEMBER, "subscriptions"),
    )
