"""The service google.iam.v1.IAMPolicy: store policies, without enforcing them on callers.

Only the roles of Pub/Sub's own service agent have an effect, see `dead_letters.py`. The program that embeds
the server decides about callers, see `access/permissions.py`.
"""

import hashlib
from typing import Any

from pubsub_emulator import wire
from pubsub_emulator.access.policy import EMPTY_ETAG, VERSIONS, check_policy
from pubsub_emulator.access.roles import PERMISSIONS
from pubsub_emulator.api.rpc import Methods
from pubsub_emulator.broker.catalog import Catalog
from pubsub_emulator.broker.limits import check_name
from pubsub_emulator.errors import AbortedError, InvalidArgumentError, NotFoundError


class IamPolicies:
    """Serve the IAM calls on the resources of a catalog.

    Args:
        catalog: The resources; a policy is deleted with its resource.
    """

    service = "google.iam.v1.IAMPolicy"

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def methods(self) -> Methods:
        """The handlers of the service, by method name."""
        return {
            "SetIamPolicy": (wire.SetIamPolicyRequest, self._set),
            "GetIamPolicy": (wire.GetIamPolicyRequest, self._get),
            "TestIamPermissions": (wire.TestIamPermissionsRequest, self._test),
        }

    def _set(self, request: Any) -> Any:
        current = self._policy(request.resource)
        check_policy(request.policy)
        if request.policy.etag and request.policy.etag != current.etag:
            raise AbortedError(
                "There were concurrent policy changes. Please retry the whole read-modify-write with"
                " exponential backoff."
            )
        policy = wire.Policy(version=request.policy.version)
        policy.bindings.extend(binding for binding in request.policy.bindings if binding.members)
        policy.etag = hashlib.sha256(current.etag + policy.SerializeToString(deterministic=True)).digest()[:8]
        self._catalog.policies[request.resource] = policy
        return policy

    def _get(self, request: Any) -> Any:
        if request.options.requested_policy_version not in VERSIONS:
            raise InvalidArgumentError("Invalid requested_policy_version: it must be 0, 1 or 3.")
        return self._policy(request.resource)

    def _test(self, request: Any) -> Any:
        """Return the requested permissions that exist for the resource: every caller has all of them."""
        permissions = PERMISSIONS[_kind(request.resource)]
        known = frozenset().union(*PERMISSIONS.values())
        for permission in request.permissions:
            if permission not in known:
                raise InvalidArgumentError(f"Permission {permission} is not valid for this resource.")
        if not self._exists(request.resource):
            return wire.TestIamPermissionsResponse()
        return wire.TestIamPermissionsResponse(
            permissions=[each for each in dict.fromkeys(request.permissions) if each in permissions]
        )

    def _policy(self, resource: str) -> Any:
        _kind(resource)
        if not self._exists(resource):
            raise NotFoundError(resource)
        return self._catalog.policies.get(resource) or wire.Policy(etag=EMPTY_ETAG)

    def _exists(self, resource: str) -> bool:
        catalog = self._catalog
        kinds = (catalog.topics, catalog.subscriptions, catalog.snapshots, catalog.schemas)
        return any(resource in kind for kind in kinds)


def _kind(resource: str) -> str:
    """Return the kind of resource of a name, as in `topics`; raise InvalidArgumentError if unknown."""
    parts = resource.split("/")
    kind = parts[2] if len(parts) > 2 and parts[2] in PERMISSIONS else "topics"  # noqa: PLR2004
    check_name(resource, kind)
    return kind
