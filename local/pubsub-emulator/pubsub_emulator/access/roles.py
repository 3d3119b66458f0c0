"""Google's roles and permissions of Pub/Sub.

Sources: cloud.google.com/pubsub/docs/access-control and cloud.google.com/iam/docs/roles-permissions/pubsub,
as of 2026-08-22. Permissions on resources that are not emulated, such as tags, are omitted.
"""

from collections.abc import Mapping
from typing import Final

PUBLISH: Final = "pubsub.topics.publish"
CONSUME: Final = "pubsub.subscriptions.consume"

PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(f"pubsub.{kind}.{verb}" for verb in verbs.split())
    for kind, verbs in {
        "topics": "attachSubscription create delete detachSubscription get getIamPolicy list publish"
        " setIamPolicy update updateTag",
        "subscriptions": "consume create delete get getIamPolicy list setIamPolicy update",
        "snapshots": "create delete get getIamPolicy list seek setIamPolicy update",
        "schemas": "attach commit create delete get getIamPolicy list listRevisions rollback setIamPolicy"
        " validate",
    }.items()
}
"""The permissions by the kind of resource that they apply to."""

GRANTABLE: Final[Mapping[str, frozenset[str]]] = {
    "roles/pubsub.admin": frozenset((PUBLISH, CONSUME)),
    "roles/pubsub.editor": frozenset((PUBLISH, CONSUME)),
    "roles/pubsub.publisher": frozenset((PUBLISH,)),
    "roles/pubsub.subscriber": frozenset((CONSUME,)),
    "roles/pubsub.viewer": frozenset(),
    "roles/owner": frozenset((PUBLISH, CONSUME)),
    "roles/editor": frozenset((PUBLISH, CONSUME)),
    "roles/viewer": frozenset(),
}
"""The roles that can be granted on a Pub/Sub resource, each with its permissions to publish and consume."""
