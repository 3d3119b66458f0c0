"""Artifact Registry and the images that are pushed to it."""

from collections.abc import Iterator
from typing import Final

from local_gcp.recorded.iam import MEMBER
from local_gcp.resource.field import GIVEN, IMMUTABLE, Choice, Field, Seconds, Text, Whole
from local_gcp.resource.properties import Properties
from local_gcp.resource.table import Limits

_MOST_POLICIES: Final = 10
_LONGEST_SECONDS: Final = 315_576_000_000  # a duration's own limit, 10,000 years


def _cleans_up_one_way_each(inputs: Properties) -> Iterator[tuple[str, str]]:
    """Reject contradictory cleanup policies.

    https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview
    """
    policies = inputs.get("cleanupPolicies", [])
    if len(policies) > _MOST_POLICIES:
        yield "cleanupPolicies", f"must be at most {_MOST_POLICIES}"
    for index, policy in enumerate(policies):
        path = f"cleanupPolicies[{index}]"
        if "condition" in policy and "mostRecentVersions" in policy:
            yield path, "must have a condition or mostRecentVersions, not both"
        elif policy.get("action") == "DELETE" and "condition" not in policy:
            yield path, "must have a condition, since it deletes"


REPOSITORY: Final = Limits(
    "gcp:artifactregistry/repository:Repository",
    {
        "repositoryId": Text(
            r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
            "1 to 63 lower-case letters, digits and hyphens, beginning with a letter",
            immutable=True,
        ),
        "project": IMMUTABLE,
        "location": IMMUTABLE,
        "kmsKeyName": IMMUTABLE,
        "mavenConfig.allowSnapshotOverwrites": IMMUTABLE,
        "mavenConfig.versionPolicy": Field(immutable=True, default="VERSION_POLICY_UNSPECIFIED"),
        "remoteRepositoryConfig": IMMUTABLE,
        "format": Choice(
            *("DOCKER", "MAVEN", "NPM", "PYTHON", "APT", "YUM", "KFP", "GO", "GENERIC"), immutable=True
        ),
        "mode": Choice(
            *("STANDARD_REPOSITORY", "VIRTUAL_REPOSITORY", "REMOTE_REPOSITORY"),
            immutable=True,
            default="STANDARD_REPOSITORY",
        ),
        "cleanupPolicies[].action": Choice("DELETE", "KEEP"),
        "cleanupPolicies[].condition.tagState": Choice("TAGGED", "UNTAGGED", "ANY", default="ANY"),
        "cleanupPolicies[].condition.olderThan": Seconds(0, _LONGEST_SECONDS),
        "cleanupPolicies[].condition.newerThan": Seconds(0, _LONGEST_SECONDS),
        "cleanupPolicies[].mostRecentVersions.keepCount": Whole(1, 2**31 - 1),
    },
    rules=(_cleans_up_one_way_each,),
    name="repositoryId",
)
REPOSITORY_IAM_MEMBER: Final = Limits(
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
    {"repository": GIVEN, "location": IMMUTABLE, **MEMBER},
    name="repository",
)


def _pushed_or_loaded(inputs: Properties) -> Iterator[tuple[str, str]]:
    if inputs.get("push") is True and not inputs.get("tags"):
        yield "tags", "at least one tag is needed to push an image"


IMAGE: Final = Limits(
    "docker-build:index:Image",
    {"push": Field(required=True), "context": Field(required=True), "context.location": Field(required=True)},
    rules=(_pushed_or_loaded,),
    name="push",
)
