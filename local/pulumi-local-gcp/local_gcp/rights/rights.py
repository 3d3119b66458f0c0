"""Checks calls against the policies that the stacks set up.

Every part of the local Google Cloud asks `Rights.check`.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from local_gcp.resource.errors import CloudError
from local_gcp.resource.records import Records
from local_gcp.rights.callers import Caller
from local_gcp.rights.cel import ExpressionError, evaluate
from local_gcp.rights.policies import Binding, Policies
from local_gcp.rights.roles import PERMISSIONS, roles_with

Mode = Literal["audit", "enforce"]
_LOG: Final = logging.getLogger(__name__)
_MODIFIED: Final = "iam.googleapis.com/modifiedGrantsByRole"


class DeniedError(CloudError):
    """The caller lacks a permission."""


class Rights:
    """Judges calls.

    Args:
        records: The recorded resources, with their grants.
        mode: `enforce` rejects calls that Google would reject; `audit` lets them pass and logs a warning.
    """

    def __init__(self, records: Records, mode: Mode) -> None:
        self._policies = Policies(records)
        self._mode = mode

    def check(
        self, caller: Caller, permission: str, resource: str, *, modified_roles: Sequence[str] = ()
    ) -> None:
        """Reject a call, or log a warning, if the caller lacks the permission.

        Args:
            caller: The caller.
            permission: The permission that the call needs, as in `pubsub.topics.publish`.
            resource: Its full name, as in `projects/p/topics/t` or `projects/_/buckets/b/objects/o`.
            modified_roles: The roles that the call grants or revokes.

        Raises:
            DeniedError: The caller lacks the permission, and the mode is `enforce`.
            CloudError: The table of roles lacks the permission or role, or a condition cannot be evaluated.
        """
        if self.allows(caller, permission, resource, modified_roles=modified_roles):
            return
        if self._mode == "enforce":
            raise DeniedError(_refusal(caller, permission, resource))
        _LOG.warning("%s", _refusal(caller, permission, resource))

    def warn(self, caller: Caller, permission: str, resource: str) -> None:
        """Log a warning if the caller lacks a permission without which Google continues.

        Raises:
            CloudError: As for `check`.
        """
        if not self.allows(caller, permission, resource):
            _LOG.warning("%s", _refusal(caller, permission, resource))

    def allows(
        self, caller: Caller, permission: str, resource: str, *, modified_roles: Sequence[str] = ()
    ) -> bool:
        """Tell whether the caller has a permission; the arguments are those of `check`.

        Raises:
            CloudError: As for `check`.
        """
        if permission not in PERMISSIONS:
            raise CloudError(
                f"the local Google Cloud knows no permission {permission}: add it to the roles that have it "
                "in local_gcp/rights/roles.py, by https://cloud.google.com/iam/docs/permissions-reference"
            )
        if caller.is_owner:
            return True
        about: dict[str, Any] = {
            "resource": {"name": resource},
            "api": {_MODIFIED: list(modified_roles)} if modified_roles else {},
        }
        return any(
            binding.member in caller.members
            and permission in self._policies.permissions(binding.role)
            and _holds(binding, about)
            for binding in self._policies.on(resource)
        )


def _holds(binding: Binding, about: Mapping[str, Any]) -> bool:
    try:
        return not binding.condition or evaluate(binding.condition, **about) is True
    except ExpressionError as error:
        raise CloudError(
            f"the condition of {binding.role} on {binding.resource} for {binding.member} cannot be "
            f"evaluated: {error}. What is missing of Google's functions goes into local_gcp/rights/cel.py, "
            "and of the attributes of a call into local_gcp/rights/rights.py"
        ) from error


def _refusal(caller: Caller, permission: str, resource: str) -> str:
    return (
        f"googleapi: Error 403: Permission '{permission}' denied on resource '{resource}' "
        f"(or it may not exist)., forbidden. {caller.name} lacks it: {_advice(permission)}"
    )


def _advice(permission: str) -> str:
    """Return advice on which role to grant: the one with the fewest permissions first."""
    roles = roles_with(permission)
    if not roles:
        return "a custom role with it would do"
    others = f", or {', '.join(roles[1:3])}" if len(roles) > 1 else ""
    return f"{roles[0]} would do{others}"
