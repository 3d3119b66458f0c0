"""Keys, on which all that is encrypted with them depends, and secrets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from event_store_infra.preview.effects.deletion import DELETION_POLICY
from event_store_infra.preview.effects.effect import (
    HARMLESS,
    Effect,
    Effects,
    cuts_off,
    less_safe,
    loses,
    stops,
)
from event_store_infra.preview.effects.rules import (
    becomes,
    ends,
    falls,
    harmless,
    has_later,
    moves,
    parts_from,
    rises,
    same,
    thins,
    widens,
)

RING: Final = "gcp:kms/keyRing:KeyRing"
KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
VERSION: Final = "gcp:kms/cryptoKeyVersion:CryptoKeyVersion"
_DESTROY: Final = "https://docs.cloud.google.com/kms/docs/destroy-restore"
_ROTATION: Final = "https://docs.cloud.google.com/kms/docs/key-rotation"
_REASONS: Final = "https://docs.cloud.google.com/assured-workloads/key-access-justifications/docs/overview"
_EXTERNAL: Final = "https://docs.cloud.google.com/kms/docs/ekm"
_DOCS: Final = "https://docs.cloud.google.com/secret-manager/docs"

_UNREADABLE: Final = loses(
    "everything that is encrypted with it, forever",
    "rotate the key: what is encrypted with an old version stays readable.",
    _DESTROY,
    "encrypt everything anew with another key.",
)
# A disabled version can be enabled again, but until then messages expire and an instance is suspended.
_DISABLED: Final = loses(
    "everything that is encrypted with it, while it is not enabled: messages expire unread, an instance is "
    "suspended",
    "rotate the key, and disable the version once nothing is encrypted with it any more.",
    "https://docs.cloud.google.com/kms/docs/enable-disable",
)
_UNJUSTIFIED: Final = stops(
    "whatever uses the key for a reason that is no longer allowed: nothing is encrypted or decrypted for it",
    _REASONS,
)


def _reasons(old: Any, new: Any) -> Effect:
    """Unset allows every reason, and an empty list none."""
    if new is None:
        return less_safe("the key may be used for any reason", _REASONS)
    if has_later(old, new) or old is None or any(each not in new for each in old):
        return _UNJUSTIFIED
    return widens(less_safe("the key may be used for more reasons", _REASONS))(old or [""], new)


def _expires(old: Any, new: Any) -> Effect:
    """Judge the time at which a secret goes: one where there was none, or an earlier one."""
    gone = loses(
        "the secret with all its versions at that time", "let it not expire.", f"{_DOCS}/secret-expiration"
    )
    if not new or old == new:
        return HARMLESS
    try:
        return HARMLESS if old and datetime.fromisoformat(new) > datetime.fromisoformat(old) else gone
    except (ValueError, TypeError):  # no time, or one that only the update can tell
        return gone


def _aliases(old: Any, new: Any) -> Effect:
    """Another version under an alias is what an alias is for; only one that goes leaves readers behind."""
    names = [[*each] if isinstance(each, Mapping) else each for each in (old, new)]
    source = f"{_DOCS}/assign-alias-to-secret-version"
    return thins(stops("whoever reads the secret by an alias that goes", source))(*names)


_RING: Final = Effects(
    gone=cuts_off(
        "the stack from the ring and its keys: Google keeps a ring forever, and makes no other of its name",
        "keep the ring, or give it an alias if it was only renamed in the program.",
        "https://docs.cloud.google.com/kms/docs/object-lifetime",
        "make sure that no key of it is needed by this stack any more.",
    ),
    # Another value of these is another ring, which is judged as the end of this one.
    properties={**harmless("location", "name", "project")},
)
_KEY: Final = Effects(
    gone=_UNREADABLE,
    properties={
        # Another value of these is another key, which is judged as the end of this one.
        **harmless(
            "cryptoKeyBackend", "destroyScheduledDuration", "importOnly", "keyRing", "name", "purpose"
        ),
        **harmless("skipInitialVersionCreation", "versionTemplate.protectionLevel"),
        **harmless("labels", "versionTemplate.algorithm"),  # of versions to come
        **DELETION_POLICY,
        "keyAccessJustificationsPolicy.allowedAccessReasons": _reasons,
        "rotationPeriod": rises(less_safe("it is rotated less often, or not at all", _ROTATION), unset=None),
    },
)
_VERSION: Final = Effects(
    gone=_UNREADABLE,
    properties={
        **harmless("cryptoKey"),  # another value is another version
        **DELETION_POLICY,
        **same(
            moves(
                loses(
                    "everything that is encrypted with it, unless the other external key is the same",
                    "make another version of it, and let this one stay.",
                    _EXTERNAL,
                )
            ),
            *("ekmConnectionKeyPath", "externalKeyUri"),
            at="externalProtectionLevelOptions",
        ),
        "state": becomes(_DISABLED, "DISABLED", "DESTROYED", "DESTROY_SCHEDULED"),
    },
)
_SECRET: Final = Effects(
    gone=loses(
        "all its versions",
        "add a version to it.",
        f"{_DOCS}/delete-secret",
        "make sure that no revision reads it any more.",
    ),
    properties={
        # Another value of these is another secret, which is judged as the end of this one.
        **harmless("project", "replication.userManaged.replicas.location", "secretId", "secretType", "tags"),
        **harmless("annotations", "labels"),
        **DELETION_POLICY,
        "deletionProtection": ends(
            less_safe("the provider no longer refuses to delete it", f"{_DOCS}/delete-secret")
        ),
        "expireTime": _expires,
        **same(
            moves(
                less_safe(
                    "its versions stay encrypted with the former key, and are lost if Secret Manager may "
                    "no longer use that one",
                    f"{_DOCS}/cmek",
                    "keep the grant on the former key, or add a version and disable the others.",
                )
            ),
            "auto.customerManagedEncryption.kmsKeyName",
            "userManaged.replicas.customerManagedEncryption.kmsKeyName",
            at="replication",
        ),
        **harmless("nextRotationTime", "rotationPeriod", at="rotation"),  # as a block
        **harmless("topics.name"),  # as a list
        "ttl": falls(
            loses(
                "the secret with all its versions, once so long has passed",
                "let it not expire.",
                f"{_DOCS}/secret-expiration",
            ),
            unset=None,
        ),
        "versionAliases": _aliases,
        "versionDestroyTtl": falls(
            less_safe(
                "a version that is destroyed can be brought back for a shorter time",
                f"{_DOCS}/secret-version-delayed-destruction",
            )
        ),
    },
    blocks={
        "rotation": ends(less_safe("nobody is told any more to rotate it", f"{_DOCS}/secret-rotation")),
        "topics": thins(
            stops(
                "whoever is told of changes of the secret by a topic that goes",
                f"{_DOCS}/event-notifications",
            )
        ),
    },
)
_SECRET_VERSION: Final = Effects(
    gone=loses(
        "its value, which running revisions may still read when they start an instance",
        "add the new version beside it, and disable this one in a later update.",
        f"{_DOCS}/destroy-secret-version",
        "make sure that no revision reads it any more.",
    ),
    properties={
        # Another value of these is another version, which is judged as the end of this one.
        **harmless(
            "isSecretDataBase64", "project", "secret", "secretData", "secretDataWo", "secretDataWoVersion"
        ),
        # DISABLE leaves the value where it is, too.
        "deletionPolicy": parts_from(
            less_safe(
                "its deletion destroys the value, which the policy kept",
                "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/"
                "secret_manager_secret_version",
            ),
            *("PREVENT", "ABANDON", "DISABLE"),
        ),
        "enabled": ends(
            stops(
                "whatever reads the version of the secret, such as an instance of the service that starts",
                f"{_DOCS}/disable-secret-version",
            ),
            unset=True,
        ),
    },
)

TABLES: Final[Mapping[str, Effects]] = {
    RING: _RING,
    KEY: _KEY,
    VERSION: _VERSION,
    "gcp:secretmanager/secret:Secret": _SECRET,
    "gcp:secretmanager/secretVersion:SecretVersion": _SECRET_VERSION,
}
