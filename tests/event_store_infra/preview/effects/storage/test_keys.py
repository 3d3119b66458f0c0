"""What the changes of keys and secrets do, one way and back."""

import pytest

from event_store_infra.preview.effects.effect import Severity
from tests.event_store_infra.preview.effects.judged import (
    LATER,
    LESS_SAFE,
    LOSES,
    STOPS,
    must_say,
    must_say_nothing,
)

KEY = "gcp:kms/cryptoKey:CryptoKey"
VERSION = "gcp:kms/cryptoKeyVersion:CryptoKeyVersion"
SECRET = "gcp:secretmanager/secret:Secret"  # noqa: S105
VALUE = "gcp:secretmanager/secretVersion:SecretVersion"
REASONS = "keyAccessJustificationsPolicy.allowedAccessReasons"
EXTERNAL = "externalProtectionLevelOptions"
OWN_KEY = "customerManagedEncryption.kmsKeyName"
SOON, LATE = "2030-01-01T00:00:00Z", "2040-01-01T00:00:00.5Z"
ROTATED = {"rotationPeriod": "86400s", "nextRotationTime": SOON}
Case = tuple[str, str, object, object, Severity, str]

ONE_WAY: list[Case] = [
    (KEY, "deletionPolicy", "PREVENT", None, LESS_SAFE, "a deletion in the program"),
    (KEY, "rotationPeriod", "7776000s", None, LESS_SAFE, "rotated less often, or not at all"),
    (KEY, "rotationPeriod", "7776000s", "31536000s", LESS_SAFE, "rotated less often"),
    (VERSION, "deletionPolicy", "ABANDON", "DELETE", LESS_SAFE, "a deletion in the program"),
    (VERSION, "state", "ENABLED", "DISABLED", LOSES, "messages expire unread, an instance is suspended"),
    (VERSION, "state", "ENABLED", "DESTROYED", LOSES, "everything that is encrypted with it"),
    (VERSION, f"{EXTERNAL}.externalKeyUri", "https://a", None, LOSES, "unless the other external key"),
    (VERSION, f"{EXTERNAL}.ekmConnectionKeyPath", "v0/a", None, LOSES, "unless the other external key"),
    (SECRET, "deletionPolicy", "PREVENT", "DELETE", LESS_SAFE, "a deletion in the program"),
    (SECRET, "deletionProtection", True, None, LESS_SAFE, "no longer refuses to delete it"),
    (SECRET, "expireTime", None, SOON, LOSES, "with all its versions at that time"),
    (SECRET, "expireTime", LATE, SOON, LOSES, "with all its versions at that time"),
    (SECRET, "ttl", None, "3600s", LOSES, "once so long has passed"),
    (SECRET, "ttl", "7200s", "3600s", LOSES, "once so long has passed"),
    (SECRET, f"replication.auto.{OWN_KEY}", "key", None, LESS_SAFE, "encrypted with the former key"),
    (SECRET, f"replication.userManaged.replicas[0].{OWN_KEY}", "key", None, LESS_SAFE, "former key"),
    (SECRET, "rotation", ROTATED, None, LESS_SAFE, "nobody is told any more to rotate it"),
    (SECRET, "topics", [{"name": "a"}, {"name": "b"}], [{"name": "b"}], STOPS, "by a topic that goes"),
    (SECRET, "versionAliases", {"live": "1", "old": "1"}, {"live": "1"}, STOPS, "by an alias that goes"),
    (SECRET, "versionDestroyTtl", "86400s", None, LESS_SAFE, "for a shorter time"),
    (VALUE, "deletionPolicy", "DISABLE", None, LESS_SAFE, "destroys the value"),
    (VALUE, "deletionPolicy", "ABANDON", "DELETE", LESS_SAFE, "destroys the value"),
    (VALUE, "enabled", None, False, STOPS, "an instance of the service that starts"),
]
EACH_WAY: list[Case] = [
    (KEY, REASONS, None, ["A"], STOPS, "for a reason that is no longer allowed"),
    (KEY, REASONS, ["A", "B"], ["A"], STOPS, "for a reason that is no longer allowed"),
    (KEY, REASONS, ["A"], [], STOPS, "for a reason that is no longer allowed"),
    (KEY, REASONS, ["A"], LATER, STOPS, "for a reason that is no longer allowed"),
    (KEY, REASONS, [], ["A"], LESS_SAFE, "for more reasons"),
    (KEY, REASONS, ["A"], ["A", "B"], LESS_SAFE, "for more reasons"),
    (KEY, REASONS, ["A"], None, LESS_SAFE, "for any reason"),
    (VERSION, "state", "ENABLED", LATER, LOSES, "everything that is encrypted with it"),
    (VERSION, "state", "DISABLED", "DESTROY_SCHEDULED", LOSES, "everything that is encrypted with it"),
    (SECRET, "expireTime", LATE, LATER, LOSES, "with all its versions at that time"),
    (SECRET, f"replication.auto.{OWN_KEY}", "key", "other", LESS_SAFE, "encrypted with the former key"),
]
NOTHING = [
    (KEY, "versionTemplate.algorithm", "GOOGLE_SYMMETRIC_ENCRYPTION", "AES_256_GCM"),
    (KEY, "labels.team", "a", "b"),
    (SECRET, "versionAliases.live", "1", "2"),
    (SECRET, "rotation", ROTATED, {**ROTATED, "rotationPeriod": "172800s"}),
    (SECRET, "annotations.a", "b", None),
    (VALUE, "deletionPolicy", "DISABLE", "PREVENT"),
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
