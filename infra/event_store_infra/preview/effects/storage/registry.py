"""Artifact Registry: the repository of the images, some of which run."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from event_store_infra.preview.effects.deletion import DELETION_POLICY
from event_store_infra.preview.effects.effect import Effects, Told, less_safe, loses, stops
from event_store_infra.preview.effects.rules import (
    becomes,
    begins,
    changes,
    either,
    ends,
    harmless,
    has_later,
    same,
    thins,
)
from event_store_infra.preview.effects.storage.selections import Selection, adds
from event_store_infra.preview.plan.plan import Change, Step

REPOSITORY: Final = "gcp:artifactregistry/repository:Repository"
_DOCS: Final = "https://docs.cloud.google.com/artifact-registry/docs"
_CLEANUP: Final = f"{_DOCS}/repositories/cleanup-policy-overview"


_DELETED: Final = loses(
    "the images that its policies now delete: a running image, or one that a rollback needs, may be among "
    "them",
    "look at what they would delete with `cleanupPolicyDryRun` first.",
    _CLEANUP,
)
_NO_LONGER_LISTED: Final = loses(
    "the images that its policies select, which until now they only listed",
    "look at what they listed first.",
    _CLEANUP,
)


def _cleans_up(step: Step) -> Iterator[Told]:
    """Tell of images that policies now delete and did not. With a dry run they only list them."""
    if not _deletes_more(_effective(step.old), _effective(step.new)):
        return
    for name, effect in (("cleanupPolicies", _DELETED), ("cleanupPolicyDryRun", _NO_LONGER_LISTED)):
        old, new = (each.get(name) for each in (step.old, step.new))
        if old != new:
            yield Told(change=Change.of(name, old, new), effect=effect)


def _effective(inputs: Mapping[str, Any]) -> Any:
    return [] if inputs.get("cleanupPolicyDryRun") is True else inputs.get("cleanupPolicies")


def _deletes_more(old: Any, new: Any) -> bool:
    """Compare what policies delete, and what they keep, which wins over a deletion."""
    if has_later(new):
        return True
    deleted = [_selections(each, "DELETE") for each in (old, new)]
    kept = [_selections(each, "KEEP") for each in (old, new)]
    return adds(*deleted) or bool(deleted[1] and adds(kept[1], kept[0]))


def _selections(policies: Any, action: str) -> list[Selection]:
    """Return what the policies of an action select. A keeper's number is of each package that it is for."""
    return [
        {"mostRecentVersions": True, **each["mostRecentVersions"]}
        if each.get("mostRecentVersions")
        else {"mostRecentVersions": None, **(each.get("condition") or {})}
        for each in policies or ()
        if each.get("action") == action
    ]


_SOURCE: Final = changes(
    stops(
        "whoever pulls by the repository what it has not kept yet from its source",
        f"{_DOCS}/repositories/remote-overview",
    )
)
_TAGS: Final = f"{_DOCS}/docker/names"

TABLES: Final[Mapping[str, Effects]] = {
    REPOSITORY: Effects(
        gone=loses(
            "all images, among them those that run: no instance of the service can start any more",
            "make another repository beside it, and deploy from that.",
            f"{_DOCS}/repositories/delete-repos",
            "deploy from another repository.",
        ),
        properties={
            # Another value of these is another repository, which is judged as the end of this one.
            **harmless("format", "kmsKeyName", "location", "mode", "project", "repositoryId"),
            **harmless("allowSnapshotOverwrites", "versionPolicy", at="mavenConfig"),
            **harmless(
                "description",
                "aptRepository.publicRepository.repositoryBase",
                "aptRepository.publicRepository.repositoryPath",
                *("commonRepository.uri", "noCache"),
                *("dockerRepository.customRepository.uri", "dockerRepository.publicRepository"),
                *("mavenRepository.customRepository.uri", "mavenRepository.publicRepository"),
                *("npmRepository.customRepository.uri", "npmRepository.publicRepository"),
                *("pythonRepository.customRepository.uri", "pythonRepository.publicRepository"),
                "yumRepository.publicRepository.repositoryBase",
                "yumRepository.publicRepository.repositoryPath",
                at="remoteRepositoryConfig",
            ),
            **harmless("description", "labels"),
            # Together, in `also`.
            **harmless("cleanupPolicyDryRun", "cleanupPolicies.action", "cleanupPolicies.id"),
            **harmless(
                *("newerThan", "olderThan", "packageNamePrefixes", "tagPrefixes", "tagState"),
                "versionNamePrefixes",
                at="cleanupPolicies.condition",
            ),
            **harmless("keepCount", "packageNamePrefixes", at="cleanupPolicies.mostRecentVersions"),
            **DELETION_POLICY,
            "dockerConfig.immutableTags": either(
                ends(less_safe("a tag may be moved to another image, or taken away", _TAGS)),
                begins(
                    stops(
                        "whoever pushes an image by a tag that is there, as `latest` is at a deployment",
                        _TAGS,
                    )
                ),
            ),
            **harmless("remoteRepositoryConfig.disableUpstreamValidation"),
            **same(
                _SOURCE,
                *("passwordSecretVersion", "username"),
                at="remoteRepositoryConfig.upstreamCredentials.usernamePasswordCredentials",
            ),
            **harmless(
                "id", "priority", "repository", at="virtualRepositoryConfig.upstreamPolicies"
            ),  # as a list
            "vulnerabilityScanningConfig.enablementConfig": becomes(
                less_safe(
                    "nobody is told of a hole in an image",
                    "https://docs.cloud.google.com/artifact-analysis/docs/enable-automatic-scanning",
                ),
                "DISABLED",
            ),
            **harmless(
                "enablementState", "enablementStateReason", at="vulnerabilityScanningConfig"
            ),  # Google's
        },
        also=_cleans_up,
        blocks={
            **harmless("cleanupPolicies"),  # in `also`
            "virtualRepositoryConfig.upstreamPolicies": lambda old, new: thins(
                stops(
                    "whoever pulls by the repository what only one has that goes from its list",
                    f"{_DOCS}/repositories/virtual-overview",
                )
            )(*([each.get("repository") for each in value or ()] for value in (old, new))),
        },
    )
}
