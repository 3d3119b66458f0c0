"""Artifact Registry and the images that are pushed into it."""

from collections.abc import Iterator
from typing import Final

from local.limits.field import GIVEN, IMMUTABLE, Choice, Field, Text
from local.limits.iam import MEMBER
from local.limits.table import Limits
from local.properties import Properties

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
    },
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
