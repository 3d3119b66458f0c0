"""What the changes of buckets and objects do, one way and back."""

from typing import Any

import pytest

from event_store_infra.preview.effects.effect import Severity
from event_store_infra.preview.effects.storage.storage import BUCKET, OBJECT
from tests.event_store_infra.preview.effects.judged import (
    CUTS_OFF,
    LATER,
    LESS_SAFE,
    LOSES,
    STOPS,
    must_say,
    must_say_nothing,
)

ENFORCED = "encryption.{}EncryptionEnforcementConfig.restrictionMode"
RANGES = "ipFilter.publicNetworkSource.allowedIpCidrRanges"
NETWORKS = "ipFilter.vpcNetworkSources"
NET, OTHER_NET = {"network": "a", "allowedIpCidrRanges": ["10.0.0.0/8"]}, {"network": "b"}
SOON, LATE = "2030-01-01T00:00:00Z", "2040-01-01T00:00:00Z"
Case = tuple[str, str, object, object, Severity, str]


def _rules(*conditions: dict[str, Any], action: str = "Delete") -> list[dict[str, Any]]:
    return [{"action": {"type": action}, "condition": each} for each in conditions]


ONE_WAY: list[Case] = [
    (BUCKET, "cors", [{"origins": ["a"]}, {"origins": ["b"]}], [{"origins": ["b"]}], STOPS, "of other sites"),
    (BUCKET, "deletionPolicy", "PREVENT", None, LESS_SAFE, "a deletion in the program"),
    (BUCKET, "encryption.defaultKmsKeyName", "key", None, LESS_SAFE, "encrypted with the former key"),
    (BUCKET, "encryption", {"defaultKmsKeyName": "key"}, None, LESS_SAFE, "encrypted with the former key"),
    (BUCKET, "forceDestroy", None, True, LESS_SAFE, "deletes its objects, too"),
    (BUCKET, "lifecycleRules", None, _rules({"age": 30}), LOSES, "delete, or delete sooner"),
    (BUCKET, "lifecycleRules", _rules({"age": 30}), _rules({"age": 7}), LOSES, "delete sooner"),
    (BUCKET, "lifecycleRules", _rules({"age": 30}), _rules({"age": 30}, {"age": 7}), LOSES, "delete sooner"),
    (
        BUCKET,
        "lifecycleRules",
        _rules({"age": 30, "withState": "ARCHIVED"}),
        _rules({"age": 30}),
        LOSES,
        "now",
    ),
    (
        *(BUCKET, "lifecycleRules", _rules({"age": 30, "matchesPrefixes": ["a/b"]})),
        *(_rules({"age": 30, "matchesPrefixes": ["a/"]}), LOSES, "now delete"),
    ),
    (
        *(BUCKET, "lifecycleRules", _rules({"createdBefore": "2020-01-01"})),
        *(_rules({"createdBefore": "2024-01-01"}), LOSES, "now delete"),
    ),
    (
        BUCKET,
        "lifecycleRules",
        _rules({"age": 9}, action="SetStorageClass"),
        _rules({"age": 9}),
        LOSES,
        "now",
    ),
    (BUCKET, "logging", {"logBucket": "logs"}, None, LESS_SAFE, "no longer logged there"),
    (BUCKET, "requesterPays", None, True, STOPS, "names no project that pays"),
    (BUCKET, "retentionPolicy.isLocked", None, True, CUTS_OFF, "a lock is for good"),
    (BUCKET, "rpo", "ASYNC_TURBO", "DEFAULT", LESS_SAFE, "reach the second region later"),
    (BUCKET, "softDeletePolicy.retentionDurationSeconds", None, 0, LESS_SAFE, "for a shorter time"),
    (BUCKET, "softDeletePolicy.retentionDurationSeconds", 7776000, None, LESS_SAFE, "for a shorter time"),
    (BUCKET, "versioning", {"enabled": True}, None, LESS_SAFE, "leaves no version behind"),
    (BUCKET, "website.mainPageSuffix", "index.html", None, STOPS, "visitors of the site"),
    (BUCKET, "website.notFoundPage", "404.html", None, STOPS, "visitors of the site"),
    (OBJECT, "deletionPolicy", "ABANDON", None, LESS_SAFE, "a deletion in the program"),
]
EACH_WAY: list[Case] = [
    (BUCKET, "encryption.defaultKmsKeyName", "key", "other", LESS_SAFE, "encrypted with the former key"),
    *(
        (BUCKET, ENFORCED.format(each), None, "FullyRestricted", STOPS, "that are encrypted in that way")
        for each in ("customerManaged", "customerSupplied", "googleManaged")
    ),
    (BUCKET, ENFORCED.format("googleManaged"), "FullyRestricted", None, LESS_SAFE, "in another way"),
    (BUCKET, "ipFilter.mode", "Disabled", "Enabled", STOPS, "lets nobody in"),
    (BUCKET, "ipFilter.mode", "Enabled", "Disabled", LESS_SAFE, "from elsewhere"),
    (BUCKET, "ipFilter.allowAllServiceAgentAccess", True, False, STOPS, "lets nobody in"),
    (BUCKET, "ipFilter.allowAllServiceAgentAccess", False, True, LESS_SAFE, "from elsewhere"),
    (BUCKET, "ipFilter.allowCrossOrgVpcs", True, None, STOPS, "lets nobody in"),
    (BUCKET, "ipFilter.allowCrossOrgVpcs", None, True, LESS_SAFE, "from elsewhere"),
    (BUCKET, RANGES, ["10.0.0.0/8"], ["10.0.0.0/8", "0.0.0.0/0"], LESS_SAFE, "from elsewhere"),
    (BUCKET, RANGES, ["10.0.0.0/8", "0.0.0.0/0"], ["10.0.0.0/8"], STOPS, "lets nobody in"),
    (BUCKET, NETWORKS, [NET, OTHER_NET], [NET], STOPS, "lets nobody in"),
    (BUCKET, NETWORKS, [NET], [NET, OTHER_NET], LESS_SAFE, "from elsewhere"),
    (BUCKET, "lifecycleRules", _rules({"age": 30}), LATER, LOSES, "now delete"),
    (BUCKET, "lifecycleRules", _rules({"age": 30}), _rules({"age": LATER}), LOSES, "now delete"),
    (BUCKET, "lifecycleRules", None, [{"action": LATER, "condition": {"age": 1}}], LOSES, "now delete"),
    (BUCKET, "publicAccessPrevention", "inherited", "enforced", STOPS, "without an account"),
    (BUCKET, "publicAccessPrevention", "enforced", None, LESS_SAFE, "opened to the public"),
    (BUCKET, "uniformBucketLevelAccess", None, True, STOPS, "by a list of an object's own"),
    (BUCKET, "uniformBucketLevelAccess", True, None, LESS_SAFE, "one by one"),
    (OBJECT, "content", "a", "b", LESS_SAFE, "its former content stays only"),
    (OBJECT, "sourceMd5hash", "a", "b", LESS_SAFE, "its former content stays only"),
    (OBJECT, "detectMd5hash", "a", "b", LESS_SAFE, "its former content stays only"),
    (OBJECT, "source", "a", "b", LESS_SAFE, "its former content stays only"),
    (OBJECT, "retention.mode", "Unlocked", "Locked", CUTS_OFF, "a lock is for good"),
    (OBJECT, "retention.mode", "Unlocked", None, LESS_SAFE, "at once"),
    (OBJECT, "retention.retainUntilTime", SOON, LATER, LESS_SAFE, "overwritten sooner"),
]
# Whoever deletes or overwrites is stopped by what keeps an object, also Pulumi whose state is in the bucket.
EACH_WAY += [
    (BUCKET, "defaultEventBasedHold", True, None, LESS_SAFE, "held by nothing"),
    (BUCKET, "retentionPolicy", {"retentionPeriod": "86400"}, None, LESS_SAFE, "overwritten sooner"),
    (BUCKET, "retentionPolicy.retentionPeriod", "86400", "60", LESS_SAFE, "overwritten sooner"),
    (OBJECT, "eventBasedHold", True, False, LESS_SAFE, "no longer held"),
    (OBJECT, "temporaryHold", True, None, LESS_SAFE, "no longer held"),
    (OBJECT, "retention.retainUntilTime", LATE, SOON, LESS_SAFE, "overwritten sooner"),
    (BUCKET, "defaultEventBasedHold", None, True, STOPS, "each is held"),
    (BUCKET, "retentionPolicy", None, {"retentionPeriod": "86400"}, STOPS, "as Pulumi the state"),
    (BUCKET, "retentionPolicy.retentionPeriod", "60", "86400", STOPS, "before its time"),
    (OBJECT, "eventBasedHold", None, True, STOPS, "deletes or overwrites it"),
    (OBJECT, "temporaryHold", False, True, STOPS, "deletes or overwrites it"),
    (OBJECT, "retention.retainUntilTime", SOON, LATE, STOPS, "before that time"),
    (OBJECT, "retention.retainUntilTime", None, LATE, STOPS, "before that time"),
]
NOTHING = [
    (BUCKET, "lifecycleRules", _rules({"age": 30}), _rules({"age": 30, "withState": "ARCHIVED"})),
    (BUCKET, "lifecycleRules", None, _rules({"age": 30}, action="AbortIncompleteMultipartUpload")),
    (BUCKET, "lifecycleRules", _rules({"age": 7}, {"age": 9}), _rules({"age": 9}, {"age": 7})),
    (BUCKET, "softDeletePolicy.retentionDurationSeconds", None, 604_800),
    (BUCKET, "storageClass", "STANDARD", "NEARLINE"),
    (BUCKET, "encryption.defaultKmsKeyName", None, "key"),
    (BUCKET, "cors", None, [{"origins": ["a"]}]),
]


@pytest.mark.parametrize("case", ONE_WAY, ids=lambda case: f"{case[0]} {case[1]}")
def test_a_change_and_back(case: Case) -> None:
    """It says what the change does, and nothing of the way back."""
    kind, path, old, new, severity, words = case
    must_say(kind, (path, old, new, severity, words))
    must_say_nothing(kind, path, new, old)


@pytest.mark.parametrize("case", EACH_WAY, ids=lambda case: f"{case[0]} {case[1]}")
def test_a_change(case: Case) -> None:
    """It says what the change does."""
    must_say(case[0], case[1:])


@pytest.mark.parametrize(("kind", "path", "old", "new"), NOTHING)
def test_a_harmless_change(kind: str, path: str, old: object, new: object) -> None:
    """Nothing is said of it."""
    must_say_nothing(kind, path, old, new)
