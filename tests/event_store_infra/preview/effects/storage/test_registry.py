"""What the changes of a repository do: above all, which images its policies delete."""

from typing import Any

import pytest

from event_store_infra.preview.effects.storage.registry import REPOSITORY
from tests.event_store_infra.preview.effects.changed import updated
from tests.event_store_infra.preview.effects.judged import (
    LATER,
    LESS_SAFE,
    LOSES,
    STOPS,
    Case,
    must_say,
    must_say_nothing,
    worst_of,
)

POLICIES = "cleanupPolicies"
CREDENTIALS = "remoteRepositoryConfig.upstreamCredentials.usernamePasswordCredentials"


def _deletes(older: str = "2592000s", state: str = "UNTAGGED", **condition: Any) -> dict[str, Any]:
    return {
        "id": "old",
        "action": "DELETE",
        "condition": {"olderThan": older, "tagState": state, **condition},
    }


def _keeps(**condition: Any) -> dict[str, Any]:
    return {"id": "promoted", "action": "KEEP", "condition": condition}


def _recent(count: int, **more: Any) -> dict[str, Any]:
    return {"id": "recent", "action": "KEEP", "mostRecentVersions": {"keepCount": count, **more}}


A, B = ({"id": each, "repository": f"projects/p/{each}"} for each in "ab")
PROMOTED = _keeps(tagState="TAGGED", tagPrefixes=["promoted-"])
WORDS = "the images that its policies now delete"
ONE_WAY: list[Case] = [
    (POLICIES, None, [_deletes()], LOSES, WORDS),
    (POLICIES, [_deletes()], [_deletes(older="86400s")], LOSES, WORDS),
    (POLICIES, [_deletes(older="30d")], [_deletes(older="1d")], LOSES, WORDS),
    (POLICIES, [_deletes()], [_deletes(state="ANY")], LOSES, WORDS),
    (POLICIES, [_deletes(), PROMOTED], [_deletes()], LOSES, WORDS),
    (POLICIES, [_deletes(), _recent(20)], [_deletes(), _recent(5)], LOSES, WORDS),
    (POLICIES, [_deletes(), _recent(20)], [_deletes()], LOSES, WORDS),
    (POLICIES, [_deletes(), _recent(20)], [_deletes(), _recent(20, packageNamePrefixes=["a"])], LOSES, WORDS),
    (
        POLICIES,
        [_deletes(), PROMOTED],
        [_deletes(), _keeps(tagState="TAGGED", tagPrefixes=["promoted-1"])],
        LOSES,
        WORDS,
    ),
    (POLICIES, [_deletes(versionNamePrefixes=["v1"])], [_deletes(versionNamePrefixes=["v"])], LOSES, WORDS),
    ("deletionPolicy", "PREVENT", None, LESS_SAFE, "a deletion in the program"),
    ("vulnerabilityScanningConfig.enablementConfig", None, "DISABLED", LESS_SAFE, "of a hole in an image"),
    ("virtualRepositoryConfig.upstreamPolicies", [A, B], [B], STOPS, "what only one has that goes"),
]
EACH_WAY: list[Case] = [
    (POLICIES, [_deletes(), _recent(20)], [_deletes(), _keeps(newerThan="86400s")], LOSES, WORDS),
    (POLICIES, [_deletes(), PROMOTED], LATER, LOSES, WORDS),
    (POLICIES, [_deletes(), PROMOTED], [_deletes(), _keeps(tagPrefixes=[LATER])], LOSES, WORDS),
    (POLICIES, [_deletes(), _recent(20)], [_deletes(), PROMOTED], LOSES, WORDS),
    ("dockerConfig.immutableTags", True, False, LESS_SAFE, "moved to another image"),
    ("dockerConfig.immutableTags", None, True, STOPS, "as `latest` is at a deployment"),
    (f"{CREDENTIALS}.username", "a", "b", STOPS, "what it has not kept yet"),
    (f"{CREDENTIALS}.passwordSecretVersion", "a", "b", STOPS, "what it has not kept yet"),
]
NOTHING: list[tuple[str, object, object]] = [
    (POLICIES, None, [PROMOTED, _recent(20)]),
    (POLICIES, [PROMOTED], [_recent(20)]),  # nothing is deleted
    (POLICIES, [_deletes(), PROMOTED, _recent(20)], [_recent(20), _deletes(), PROMOTED]),
    (POLICIES, [_deletes()], [{**_deletes(), "id": "renamed"}]),
    (POLICIES, [_deletes()], [{**_deletes(), "__defaults": ["condition"]}]),
    ("description", "a", "b"),
    ("labels.team", None, "a"),
]


def test_a_dry_run_deletes_nothing() -> None:
    """Policies that only list may list anything; as the dry run ends, they delete what they listed."""
    strict, loose, kept = ({POLICIES: [each]} for each in (_deletes(), _deletes(state="ANY"), PROMOTED))
    tried, later = ({"cleanupPolicyDryRun": each} for each in (True, LATER))

    def told(old: dict[str, Any], new: dict[str, Any]) -> str:
        return worst_of(updated(REPOSITORY, old, new)).what

    assert told(strict, loose | tried) == told(strict | tried, loose | tried) == ""
    assert told(kept | tried, kept) == ""
    assert "until now they only listed" in told(loose | tried, loose)
    assert WORDS in told(strict, loose | later)


@pytest.mark.parametrize("case", ONE_WAY)
def test_a_change_and_back(case: Case) -> None:
    """It says what the change does, and nothing of the way back."""
    must_say(REPOSITORY, case)
    must_say_nothing(REPOSITORY, case[0], case[2], case[1])


@pytest.mark.parametrize("case", EACH_WAY)
def test_a_change(case: Case) -> None:
    """It says what the change does."""
    must_say(REPOSITORY, case)


@pytest.mark.parametrize(("path", "old", "new"), NOTHING)
def test_a_harmless_change(path: str, old: object, new: object) -> None:
    """Nothing is said of it."""
    must_say_nothing(REPOSITORY, path, old, new)
