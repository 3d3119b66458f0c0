"""Identities and grants."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from local_gcp.resource.field import GIVEN, IMMUTABLE, Choice, Field, Text
from local_gcp.resource.properties import Properties, is_known
from local_gcp.resource.table import Limits
from local_gcp.rights.roles import PERMISSIONS, ROLES, unknown_role


@dataclass(frozen=True, slots=True)
class Role(Text):
    """A role: one of Google's from the table of roles, or a custom one."""

    def problem(self, value: Any) -> str | None:
        """Reject a value that is not such a role."""
        # Without arguments `super` looks for a class that `slots` has replaced.
        if (reason := super(Role, self).problem(value)) is not None:
            return reason
        return unknown_role(value) if value.startswith("roles/") and value not in ROLES else None


MEMBER: Final = {
    "role": Role(
        r"(projects/[^/]+/|organizations/\d+/)?roles/.+",
        "a role, as in roles/pubsub.publisher",
        immutable=True,
    ),
    "member": Text(
        r"all(Authenticated)?Users|(user|group|serviceAccount|domain|principal|principalSet):.+",
        "kind:name, as in serviceAccount:name@project.iam.gserviceaccount.com",
        immutable=True,
    ),
    "condition": IMMUTABLE,
    "project": IMMUTABLE,
}
# For members of a resource whose name includes its project.
_MEMBER_OF: Final = {name: field for name, field in MEMBER.items() if name != "project"}

SERVICE: Final = Limits(
    "gcp:projects/service:Service",
    {
        "service": Text(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "an API, as in run.googleapis.com", immutable=True),
        "project": IMMUTABLE,
    },
    name="service",
)
SERVICE_IDENTITY: Final = Limits(
    "gcp:projects/serviceIdentity:ServiceIdentity",
    {"service": GIVEN, "project": IMMUTABLE},
    name="service",
)
PROJECT_IAM_MEMBER: Final = Limits("gcp:projects/iAMMember:IAMMember", MEMBER, name="member")

ACCOUNT: Final = Limits(
    "gcp:serviceaccount/account:Account",
    {
        "accountId": Text(
            r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
            "6 to 30 lower-case letters, digits and hyphens, from a letter to a letter or digit",
            immutable=True,
        ),
        "project": IMMUTABLE,
        "disabled": Field(default=False),
        "displayName": Text(r".{0,100}", "at most 100 characters"),
        "description": Text(r".{0,256}", "at most 256 characters"),
    },
    name="accountId",
)
ACCOUNT_IAM_MEMBER: Final = Limits(
    "gcp:serviceaccount/iAMMember:IAMMember",
    {"serviceAccountId": GIVEN, **_MEMBER_OF},
    name="serviceAccountId",
)
BUCKET_IAM_MEMBER: Final = Limits(
    "gcp:storage/bucketIAMMember:BucketIAMMember",
    {"bucket": GIVEN, **_MEMBER_OF},
    name="bucket",
)
KEY_IAM_MEMBER: Final = Limits(
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    {
        "cryptoKeyId": Text(
            r"(projects/[^/]+/locations/)?[^/]+/([^/]+/)?[^/]+(/cryptoKeys/[^/]+)?",
            "a key, as in projects/p/locations/europe/keyRings/r/cryptoKeys/k",
            required=True,
            immutable=True,
        ),
        **_MEMBER_OF,
    },
    name="cryptoKeyId",
)


def _holds_what_there_is(inputs: Properties) -> Iterator[tuple[str, str]]:
    for index, permission in enumerate(inputs["permissions"]):
        if is_known(permission) and permission not in PERMISSIONS:
            yield (
                f"permissions[{index}]",
                f"{permission} is not valid: local_gcp/rights/roles.py has the names that Google knows",
            )


CUSTOM_ROLE: Final = Limits(
    "gcp:projects/iAMCustomRole:IAMCustomRole",
    {
        "roleId": Text(
            r"[a-zA-Z0-9_.]{3,64}",
            "3 to 64 letters, digits, underscores and periods",
            required=True,
            immutable=True,
        ),
        "project": IMMUTABLE,
        "title": Text(r".{1,100}", "1 to 100 characters", required=True),
        "description": Text(r".{0,300}", "at most 300 characters"),
        "permissions": Field(required=True),
        "stage": Choice(
            *("ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP"),
            default="GA",
        ),
    },
    rules=(_holds_what_there_is,),
    name="roleId",
)
TABLE_IAM_MEMBER: Final = Limits(
    "gcp:bigquery/iamMember:IamMember", {"datasetId": GIVEN, "tableId": GIVEN, **MEMBER}, name="tableId"
)
