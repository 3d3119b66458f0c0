"""IAM policies: check them as Google does, and evaluate which permissions they grant."""

import re
from typing import Any, Final

from pubsub_emulator.access import roles
from pubsub_emulator.errors import InvalidArgumentError

EMPTY_ETAG: Final = b"\x00 \x01"  # ACAB in base64, as Google's
VERSIONS: Final = (0, 1, 3)
CONDITIONS_VERSION: Final = 3

_EVERYBODY: Final = frozenset(("allUsers", "allAuthenticatedUsers"))
_EMAIL: Final = r"[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+"
_MEMBER: Final = re.compile(
    # https://cloud.google.com/iam/docs/principal-identifiers
    rf"(user|group|serviceAccount):{_EMAIL}"
    r"|serviceAccount:[a-z0-9-]+\.svc\.id\.goog\[[^\s/\]]+/[^\s/\]]+\]"
    r"|domain:[a-z0-9-]+(\.[a-z0-9-]+)+"
    r"|(principal|principalSet)://[a-z]+\.googleapis\.com/\S+"
    rf"|deleted:(user|group|serviceAccount):{_EMAIL}\?uid=\d+"
    r"|deleted:principal://\S+"
)
_CUSTOM_ROLE: Final = re.compile(r"(projects/[a-z0-9.:-]+|organizations/\d+)/roles/[A-Za-z0-9_.]{3,64}")


def check_policy(policy: Any) -> None:
    """Reject an IAM policy with a version, a role, a member or a condition that Google rejects.

    Raises:
        InvalidArgumentError: The policy is invalid; names the value and what is allowed.
    """
    if policy.version not in VERSIONS:
        raise InvalidArgumentError(f"Invalid policy version {policy.version}: it must be 0, 1 or 3.")
    for binding in policy.bindings:
        if binding.role not in roles.GRANTABLE and not _CUSTOM_ROLE.fullmatch(binding.role):
            raise InvalidArgumentError(
                f"Role {binding.role} is not supported for this resource: grant one of"
                f" {', '.join(roles.GRANTABLE)} or a custom role."
            )
        if binding.HasField("condition") and policy.version != CONDITIONS_VERSION:
            raise InvalidArgumentError(
                f"The policy has a condition: its version must be {CONDITIONS_VERSION}."
            )
        for member in binding.members:
            if member not in _EVERYBODY and not _MEMBER.fullmatch(member):
                raise InvalidArgumentError(
                    f"The member {member!r} is of an unknown type or malformed: it must be allUsers,"
                    " allAuthenticatedUsers, user:EMAIL, serviceAccount:EMAIL, group:EMAIL, domain:DOMAIN,"
                    " principal://... or principalSet://..."
                )


def allows(policy: Any, member: str, permission: str) -> bool:
    """Return whether a policy grants `member` a permission.

    Custom roles count as having the permission, and conditions as met: neither can be evaluated here.
    """
    for binding in policy.bindings if policy is not None else ():
        allowed = roles.GRANTABLE.get(binding.role, frozenset((permission,)))
        if permission in allowed and not {member, *_EVERYBODY}.isdisjoint(binding.members):
            return True
    return False
