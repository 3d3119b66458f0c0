"""The service google.iam.v1.IAMPolicy: policies are stored and nobody is ever refused."""

import hashlib
from typing import Any

from local.pubsub import wire
from local.pubsub.catalog import Catalog
from local.pubsub.errors import AbortedError, NotFoundError
from local.pubsub.rpc import Methods


class IamPolicies:
    """Answers for a catalog.

    Args:
        catalog: What exists; a policy goes with its resource.
    """

    service = "google.iam.v1.IAMPolicy"

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def methods(self) -> Methods:
        """Its methods by their names."""
        return {
            "SetIamPolicy": (wire.SetIamPolicyRequest, self._set),
            "GetIamPolicy": (wire.GetIamPolicyRequest, self._get),
            "TestIamPermissions": (wire.TestIamPermissionsRequest, self._test),
        }

    def _set(self, request: Any) -> Any:
        current = self._policy(request.resource)
        if request.policy.etag and request.policy.etag != current.etag:
            raise AbortedError(
                "There were concurrent policy changes. Please retry the whole read-modify-write with"
                " exponential backoff."
            )
        policy = wire.Policy()
        policy.CopyFrom(request.policy)
        policy.etag = hashlib.sha256(current.etag + policy.SerializeToString(deterministic=True)).digest()[:8]
        self._catalog.policies[request.resource] = policy
        return policy

    def _get(self, request: Any) -> Any:
        return self._policy(request.resource)

    def _test(self, request: Any) -> Any:
        self._policy(request.resource)
        return wire.TestIamPermissionsResponse(permissions=request.permissions)

    def _policy(self, resource: str) -> Any:
        catalog = self._catalog
        if not any(resource in kind for kind in (catalog.topics, catalog.subscriptions, catalog.snapshots)):
            raise NotFoundError(resource)
        return catalog.policies.get(resource) or wire.Policy(etag=b"\0")
