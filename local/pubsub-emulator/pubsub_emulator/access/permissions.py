"""Map each Pub/Sub call to the permissions that it requires, and the resources that they are on.

Source: https://docs.cloud.google.com/pubsub/docs/access-control#required_permissions

The program that embeds the server can supply a judge, which decides whether a caller has a permission.
Without a judge the server admits every call.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Ask = tuple[str, str]  # a permission, and the resource that it is on
Judge = Callable[[str, str, str], None]
"""Raise a PubSubError to reject a call, given its token ("" for none), a permission and its resource."""
Admit = Callable[[Any, Any], None]
"""Admit a call, given its request and its context, or raise an error."""

_BEARER: Final = "Bearer "


def _on(permission: str, *fields: str) -> Callable[[Any], Iterable[Ask]]:
    """Require a permission on the resources that a field of the request names; none if it is unset."""

    def asked(request: Any) -> Iterable[Ask]:
        name = request
        for field in fields:
            name = getattr(name, field)
        return [(f"pubsub.{permission}", str(name))] if name else []

    return asked


def _on_project(permission: str, field: str) -> Callable[[Any], Iterable[Ask]]:
    """Require a permission on the project of the resource that a field names."""
    return lambda request: [(f"pubsub.{permission}", "/".join(getattr(request, field).split("/")[:2]))]


def _all(*asks: Callable[[Any], Iterable[Ask]]) -> Callable[[Any], Iterable[Ask]]:
    return lambda request: [each for ask in asks for each in ask(request)]


def _policy(verb: str) -> Callable[[Any], Iterable[Ask]]:
    """Require a permission on the IAM policy of the resource that the request names, of any kind."""
    return lambda request: [(f"pubsub.{_collection(request.resource)}.{verb}", str(request.resource))]


def _collection(resource: str) -> str:
    return "".join(resource.split("/")[2:3]) or "topics"


ASKED: Final[Mapping[str, Callable[[Any], Iterable[Ask]]]] = {
    "CreateTopic": _all(
        _on_project("topics.create", "name"), _on("schemas.attach", "schema_settings", "schema")
    ),
    "UpdateTopic": _on("topics.update", "topic", "name"),
    "Publish": _on("topics.publish", "topic"),
    "GetTopic": _on("topics.get", "topic"),
    "ListTopics": _on("topics.list", "project"),
    "ListTopicSubscriptions": _on("topics.get", "topic"),
    "ListTopicSnapshots": _on("topics.get", "topic"),
    "DeleteTopic": _on("topics.delete", "topic"),
    # On the topic, which the request does not name.
    "DetachSubscription": _on_project("topics.detachSubscription", "subscription"),
    "CreateSubscription": _all(
        _on_project("subscriptions.create", "name"), _on("topics.attachSubscription", "topic")
    ),
    "GetSubscription": _on("subscriptions.get", "subscription"),
    "UpdateSubscription": _on("subscriptions.update", "subscription", "name"),
    "ListSubscriptions": _on("subscriptions.list", "project"),
    "DeleteSubscription": _on("subscriptions.delete", "subscription"),
    "ModifyPushConfig": _on("subscriptions.update", "subscription"),
    "Acknowledge": _on("subscriptions.consume", "subscription"),
    "ModifyAckDeadline": _on("subscriptions.consume", "subscription"),
    "Pull": _on("subscriptions.consume", "subscription"),
    "StreamingPull": _on("subscriptions.consume", "subscription"),
    "Seek": _all(_on("subscriptions.consume", "subscription"), _on("snapshots.seek", "snapshot")),
    "CreateSnapshot": _all(
        _on_project("snapshots.create", "name"), _on("subscriptions.consume", "subscription")
    ),
    "GetSnapshot": _on("snapshots.get", "snapshot"),
    "UpdateSnapshot": _on("snapshots.update", "snapshot", "name"),
    "ListSnapshots": _on("snapshots.list", "project"),
    "DeleteSnapshot": _on("snapshots.delete", "snapshot"),
    "CreateSchema": _on("schemas.create", "parent"),
    "GetSchema": _on("schemas.get", "name"),
    "ListSchemas": _on("schemas.list", "parent"),
    "ListSchemaRevisions": _on("schemas.listRevisions", "name"),
    "CommitSchema": _on("schemas.commit", "name"),
    "RollbackSchema": _on("schemas.rollback", "name"),
    "DeleteSchemaRevision": _on("schemas.delete", "name"),
    "DeleteSchema": _on("schemas.delete", "name"),
    "ValidateSchema": _on("schemas.validate", "parent"),
    "ValidateMessage": _on("schemas.validate", "parent"),
    "SetIamPolicy": _policy("setIamPolicy"),
    "GetIamPolicy": _policy("getIamPolicy"),
    "TestIamPermissions": lambda _request: (),
}


def admission(method: str, judge: Judge | None) -> Admit:
    """Return the check that each call of a method has to pass.

    Args:
        method: The method's name.
        judge: Decides about each call; None admits every call.
    """
    asked = ASKED[method]

    def admit(request: Any, context: Any) -> None:
        if judge is None:
            return
        metadata = dict(context.invocation_metadata() or ())
        token = str(metadata.get("authorization", "")).removeprefix(_BEARER)
        for permission, resource in asked(request):
            if resource.startswith("projects/"):  # any other name is rejected as malformed
                judge(token, permission, resource)

    return admit
