"""Cloud Storage: buckets, which may keep the archive of the bus or the state of stacks, and objects."""

from collections.abc import Mapping
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
    begins,
    changes,
    either,
    ends,
    falls,
    harmless,
    moves,
    parts_from,
    rises,
    same,
    thins,
    widens,
)
from event_store_infra.preview.effects.storage.selections import adds
from event_store_infra.preview.plan.plan import UNKNOWN as LATER

BUCKET: Final = "gcp:storage/bucket:Bucket"
OBJECT: Final = "gcp:storage/bucketObject:BucketObject"
_DOCS: Final = "https://docs.cloud.google.com/storage/docs"
_DAY: Final = 86_400


def _lifecycle(old: Any, new: Any) -> Effect:
    """Judge rules: one that deletes objects that no rule deleted before."""
    if adds(_deleted(old), _deleted(new)):
        return loses(
            "the objects that its rules now delete, or delete sooner",
            "delete by hand what is not needed, or copy the objects first.",
            f"{_DOCS}/lifecycle",
        )
    return HARMLESS


def _deleted(rules: Any) -> list[Mapping[str, Any]]:
    """Return the conditions of what deletes; one that only the update can tell may."""
    if not isinstance(rules, list):
        return [{"any": rules}] if rules else []
    given = [each if isinstance(each, Mapping) else {"action": each} for each in rules]
    actions = [each.get("action") for each in given]
    kinds = [each.get("type") if isinstance(each, Mapping) else each for each in actions]
    return [
        condition if isinstance(condition := rule.get("condition") or {}, Mapping) else {"any": condition}
        for rule, kind in zip(given, kinds, strict=True)
        if kind in ("Delete", LATER)
    ]


_FORMER_KEY: Final = moves(
    less_safe(
        "its objects stay encrypted with the former key, and are lost if Cloud Storage "
        "may no longer use that one",
        f"{_DOCS}/encryption/customer-managed-keys",
        "keep the grant on the former key, or rewrite the objects.",
    )
)
_ELSEWHERE: Final = stops(
    "whoever comes to the bucket from where its filter lets nobody in", f"{_DOCS}/ip-filtering-overview"
)
_WIDER: Final = less_safe("requests from elsewhere are let in, too", f"{_DOCS}/ip-filtering-overview")
_ENCRYPTED: Final = either(
    becomes(
        stops("whoever writes objects to the bucket that are encrypted in that way", f"{_DOCS}/encryption"),
        "FullyRestricted",
    ),
    parts_from(
        less_safe("objects may be encrypted in another way", f"{_DOCS}/encryption"), "FullyRestricted"
    ),
)
_SITE: Final = moves(stops("visitors of the site: they get another page, or none", f"{_DOCS}/static-website"))
_SOONER: Final = less_safe("objects may be deleted and overwritten sooner", f"{_DOCS}/bucket-lock")


def _until(old: Any, new: Any) -> Effect:
    """Compare times: before its own, an object can neither be deleted nor overwritten."""
    if old and (not new or LATER in (old, new) or str(new) < str(old)):
        return less_safe("it may be deleted and overwritten sooner", f"{_DOCS}/object-lock")
    return stops("whoever deletes or overwrites it before that time", f"{_DOCS}/object-lock")


_BUCKET: Final = Effects(
    gone=loses(
        "all its objects, such as the archive of the bus or the state of stacks",
        "make another bucket beside it, and copy the objects.",
        f"{_DOCS}/deleting-buckets",
        "copy the objects to another bucket.",
    ),
    properties={
        # Another value of these is another bucket, which is judged as the end of this one.
        **harmless(
            "customPlacementConfig.dataLocations", "enableObjectRetention", "hierarchicalNamespace.enabled"
        ),
        **harmless("location", "name", "project"),
        **harmless("autoclass.enabled", "autoclass.terminalStorageClass", "labels", "storageClass"),
        **harmless("maxAgeSeconds", "methods", "origins", "responseHeaders", at="cors"),  # as a list
        "defaultEventBasedHold": either(
            ends(less_safe("new objects are held by nothing against a deletion", f"{_DOCS}/object-holds")),
            begins(
                stops(
                    "whoever deletes or overwrites new objects, as Pulumi the state of a stack: each is held "
                    "until somebody lets it go",
                    f"{_DOCS}/object-holds",
                )
            ),
        ),
        **DELETION_POLICY,
        "encryption.defaultKmsKeyName": _FORMER_KEY,
        **same(
            _ENCRYPTED,
            "customerManagedEncryptionEnforcementConfig.restrictionMode",
            "customerSuppliedEncryptionEnforcementConfig.restrictionMode",
            "googleManagedEncryptionEnforcementConfig.restrictionMode",
            at="encryption",
        ),
        **harmless(  # Google's own times
            "customerManagedEncryptionEnforcementConfig.effectiveTime",
            "customerSuppliedEncryptionEnforcementConfig.effectiveTime",
            "googleManagedEncryptionEnforcementConfig.effectiveTime",
            at="encryption",
        ),
        "forceDestroy": begins(
            less_safe("a deletion of the bucket deletes its objects, too", f"{_DOCS}/deleting-buckets")
        ),
        "ipFilter.mode": either(becomes(_ELSEWHERE, "Enabled"), parts_from(_WIDER, "Enabled")),
        **same(
            either(ends(_ELSEWHERE), begins(_WIDER)),
            *("allowAllServiceAgentAccess", "allowCrossOrgVpcs"),
            at="ipFilter",
        ),
        "ipFilter.publicNetworkSource.allowedIpCidrRanges": either(thins(_ELSEWHERE), widens(_WIDER)),
        **harmless("allowedIpCidrRanges", "network", at="ipFilter.vpcNetworkSources"),  # as a list
        **harmless("action.storageClass", "action.type", at="lifecycleRules"),  # as a list
        **harmless(
            *("age", "createdBefore", "customTimeBefore", "daysSinceCustomTime", "daysSinceNoncurrentTime"),
            *("matchesPrefixes", "matchesStorageClasses", "matchesSuffixes", "noncurrentTimeBefore"),
            *("numNewerVersions", "sendAgeIfZero", "sendDaysSinceCustomTimeIfZero"),
            *("sendDaysSinceNoncurrentTimeIfZero", "sendNumNewerVersionsIfZero", "sizeAboveBytes"),
            *("sizeBelowBytes", "withState"),
            at="lifecycleRules.condition",
        ),
        "logging.logBucket": moves(
            less_safe("who reads and writes is no longer logged there", f"{_DOCS}/access-logs")
        ),
        **harmless("logging.logObjectPrefix"),
        "publicAccessPrevention": either(
            becomes(
                stops("whoever reads the bucket without an account", f"{_DOCS}/public-access-prevention"),
                "enforced",
            ),
            parts_from(
                less_safe("it may be opened to the public", f"{_DOCS}/public-access-prevention"), "enforced"
            ),
        ),
        "requesterPays": begins(
            stops("whoever reads the bucket and names no project that pays", f"{_DOCS}/requester-pays")
        ),
        "retentionPolicy.isLocked": begins(
            cuts_off(
                "everybody from deleting an object before its time, or shortening that: a lock is for good",
                "leave the policy unlocked.",
                f"{_DOCS}/bucket-lock",
            )
        ),
        "retentionPolicy.retentionPeriod": either(
            falls(_SOONER),
            rises(
                stops(
                    "whoever deletes or overwrites an object before its time, as Pulumi the state of a stack",
                    f"{_DOCS}/bucket-lock",
                )
            ),
        ),
        "rpo": parts_from(
            less_safe("objects reach the second region later", f"{_DOCS}/availability-durability"),
            "ASYNC_TURBO",
        ),
        **harmless("softDeletePolicy.effectiveTime"),  # Google's own
        # What is deleted already stays as long as was said then: https://docs.cloud.google.com/storage/docs/use-soft-delete
        "softDeletePolicy.retentionDurationSeconds": falls(
            less_safe("what is deleted can be restored for a shorter time", f"{_DOCS}/soft-delete"),
            unset=7 * _DAY,
        ),
        "uniformBucketLevelAccess": either(
            begins(
                stops(
                    "whoever has access by a list of an object's own", f"{_DOCS}/uniform-bucket-level-access"
                )
            ),
            ends(less_safe("objects can be opened one by one", f"{_DOCS}/uniform-bucket-level-access")),
        ),
        "versioning.enabled": ends(
            less_safe("what is overwritten or deleted leaves no version behind", f"{_DOCS}/object-versioning")
        ),
        **same(_SITE, "mainPageSuffix", "notFoundPage", at="website"),
    },
    blocks={
        "cors": thins(stops("pages of other sites that read the bucket", f"{_DOCS}/cross-origin")),
        "ipFilter.vpcNetworkSources": either(thins(_ELSEWHERE), widens(_WIDER)),
        "lifecycleRules": _lifecycle,
    },
)
_OBJECT: Final = Effects(
    gone=loses(
        "its content",
        "write the new object under another name.",
        f"{_DOCS}/deleting-objects",
        "copy it.",
    ),
    properties={
        # Another value of these is another object, which is judged as the end of this one.
        **harmless("bucket", "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage"),
        **harmless("contentType", "forceEmptyContentType", "kmsKeyName", "metadata", "name", "storageClass"),
        **harmless("encryptionAlgorithm", "encryptionKey", at="customerEncryption"),
        **harmless("createTime", "key", "updateTime", "value", at="contexts.customs"),
        **same(
            # The provider overwrites it in place.
            changes(
                less_safe(
                    "its former content stays only as long as the bucket keeps versions, or what is deleted",
                    f"{_DOCS}/soft-delete",
                )
            ),
            *("content", "detectMd5hash", "source", "sourceMd5hash"),
        ),
        **DELETION_POLICY,
        **same(
            either(
                ends(less_safe("it is no longer held against a deletion", f"{_DOCS}/object-holds")),
                begins(stops("whoever deletes or overwrites it", f"{_DOCS}/object-holds")),
            ),
            *("eventBasedHold", "temporaryHold"),
        ),
        "retention.mode": either(
            becomes(
                cuts_off(
                    "everybody from deleting it before its time, or shortening the time: a lock is for good",
                    "leave it unlocked.",
                    f"{_DOCS}/object-lock",
                ),
                "Locked",
            ),
            ends(less_safe("it may be deleted and overwritten at once", f"{_DOCS}/object-lock")),
        ),
        "retention.retainUntilTime": _until,
    },
)

TABLES: Final[Mapping[str, Effects]] = {BUCKET: _BUCKET, OBJECT: _OBJECT}
