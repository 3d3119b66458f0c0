"""The limits of Cloud Storage: https://cloud.google.com/storage/docs/buckets#naming."""

from collections.abc import Iterator
from typing import Final

from local_gcp.resource.field import GIVEN, IMMUTABLE, Choice, Field, Labels, Text
from local_gcp.resource.properties import Properties, is_known
from local_gcp.resource.table import Limits


def _name_is_not_google_s(inputs: Properties) -> Iterator[tuple[str, str]]:
    name = inputs["name"]
    if is_known(name) and (name.startswith("goog") or "google" in name):
        yield "name", "must not begin with goog or contain google"


BUCKET: Final = Limits(
    "gcp:storage/bucket:Bucket",
    {
        "name": Text(
            r"[a-z0-9][a-z0-9_.-]{1,61}[a-z0-9]",
            "3 to 63 lower-case letters, digits, -, _ and ., from a letter or digit to a letter or digit",
            immutable=True,
        ),
        "project": IMMUTABLE,
        "location": GIVEN,
        "customPlacementConfig": IMMUTABLE,
        "enableObjectRetention": IMMUTABLE,
        "hierarchicalNamespace": IMMUTABLE,
        "storageClass": Choice(
            *("STANDARD", "MULTI_REGIONAL", "REGIONAL", "NEARLINE", "COLDLINE", "ARCHIVE"),
            default="STANDARD",
        ),
        "publicAccessPrevention": Choice("enforced", "inherited"),
        "rpo": Choice("DEFAULT", "ASYNC_TURBO"),
        "forceDestroy": Field(default=False),
        "retentionPolicy.isLocked": Field(default=False),
        "softDeletePolicy.retentionDurationSeconds": Field(default=604_800),
        "labels": Labels(),
    },
    rules=(_name_is_not_google_s,),
    autonamed=63,
)
