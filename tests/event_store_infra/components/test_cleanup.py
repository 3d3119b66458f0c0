"""What the registry's cleanup deletes, by the policies of the program, and how an image is kept from it."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
import yaml

from event_store_infra.components.registry.registry import PROMOTED
from tests.event_store_infra.inventory import FOLDER
from tools import ROOT

IMAGE: Final = f"europe-west1-docker.pkg.dev/team-dev/event-store/event-store@sha256:{'0123456789abcdef' * 4}"
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An image in a repository.

    Attributes:
        age_days: Since it was pushed.
        tags: Its tags.
    """

    age_days: int
    tags: tuple[str, ...] = ()


def _matches(condition: Mapping[str, Any], version: Version) -> bool:
    state = {"TAGGED": bool(version.tags), "UNTAGGED": not version.tags, "ANY": True}
    prefixes = tuple(condition.get("tagPrefixes", [""]))
    older = int(condition.get("olderThan", "0s").removesuffix("s"))
    return (
        state[condition.get("tagState", "ANY")]
        and (not version.tags or any(tag.startswith(prefixes) for tag in version.tags))
        and version.age_days * DAY_SECONDS >= older
    )


def _deleted(policies: Sequence[Mapping[str, Any]], versions: Sequence[Version]) -> Iterator[Version]:
    """Yield what is deleted: what a policy to delete matches, unless one to keep matches it, too.

    https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview
    """
    by_age = sorted(versions, key=lambda version: version.age_days)
    for version in versions:
        verdicts = set()
        for policy in policies:
            newest = policy.get("mostRecentVersions", {}).get("keepCount", 0)
            if version in by_age[:newest] or (
                "condition" in policy and _matches(policy["condition"], version)
            ):
                verdicts.add(policy["action"])
        if verdicts == {"DELETE"}:
            yield version


@pytest.fixture
def policies() -> list[dict[str, Any]]:
    """Return the policies of the repository of `dev`, as its inventory has them."""
    text = (FOLDER / "dev.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["resources"]["registry-repository"]["inputs"][
        "cleanupPolicies"
    ]
    return found


def _tag() -> str:
    """Return the tag that the workflow Deploy gives to what it promotes, by running its step."""
    deploy = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8"))
    (step,) = (step["run"] for step in deploy["jobs"]["keep"]["steps"] if "run" in step)
    shown = subprocess.run(
        ["bash", "-euc", f'gcloud() {{ printf "%s\\n" "$@"; }}\n{step}'],
        env={"IMAGE": IMAGE, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    *command, image, tag = shown.stdout.splitlines()
    assert command == ["artifacts", "docker", "tags", "add"]
    assert image == IMAGE
    assert tag.partition(":")[0] == IMAGE.partition("@")[0]
    return tag.partition(":")[2]


def test_an_image_that_was_promoted_is_never_deleted(policies: list[dict[str, Any]]) -> None:
    """However old it is and however many came after it, an environment finds what it runs and ran."""
    later = [Version(age_days=age) for age in range(1, 400)]
    promoted = Version(age_days=800, tags=(_tag(),))
    both = Version(age_days=900, tags=("latest", _tag()))

    assert not {promoted, both} & {*_deleted(policies, [*later, promoted, both])}


def test_an_image_that_nobody_runs_is_deleted(policies: list[dict[str, Any]]) -> None:
    """The cleanup still cleans up: without a tag the newest 20 stay, and what is younger than a month."""
    versions = [Version(age_days=age) for age in range(1, 400)]
    idle = [Version(age_days=100 * age) for age in range(1, 41)]

    assert {version.age_days for version in _deleted(policies, versions)} == {*range(30, 400)}
    assert {version.age_days for version in _deleted(policies, idle)} == {*range(2100, 4001, 100)}


def test_the_tag_of_a_promoted_image_is_the_one_that_is_kept(policies: list[dict[str, Any]]) -> None:
    """The workflow's tag begins as the policy wants, says which image it is, and is one that Docker takes."""
    (prefixes,) = (
        policy["condition"]["tagPrefixes"]
        for policy in policies
        if "tagPrefixes" in policy.get("condition", {})
    )

    assert prefixes == [PROMOTED]
    assert _tag() == f"{PROMOTED}0123456789ab"
