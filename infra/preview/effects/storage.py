"""What keeps objects, rows, images, secrets and keys."""

from collections.abc import Mapping
from typing import Final

from infra.preview.effects.effect import Effects, loses

_KEY: Final = Effects(
    gone=loses(
        "everything that is encrypted with it, for ever",
        "rotate the key: what is encrypted with an old version stays readable.",
        "https://docs.cloud.google.com/kms/docs/destroy-restore",
        "encrypt everything anew with another key.",
    ),
    properties={},
)

TABLES: Final[Mapping[str, Effects]] = {
    "gcp:secretmanager/secret:Secret": Effects(
        gone=loses(
            "all its versions",
            "add a version to it.",
            "https://docs.cloud.google.com/secret-manager/docs/delete-secret",
            "make sure that no revision reads it any more.",
        ),
        properties={},
    ),
    "gcp:secretmanager/secretVersion:SecretVersion": Effects(
        gone=loses(
            "its value, which running revisions may still read when they start an instance",
            "add the new version beside it, and disable this one in a later update.",
            "https://docs.cloud.google.com/secret-manager/docs/destroy-secret-version",
            "make sure that no revision reads it any more.",
        ),
        properties={},
    ),
    "gcp:kms/keyRing:KeyRing": _KEY,
    "gcp:kms/cryptoKey:CryptoKey": _KEY,
    "gcp:kms/cryptoKeyVersion:CryptoKeyVersion": _KEY,
    "gcp:storage/bucket:Bucket": Effects(
        gone=loses(
            "all its objects, such as the archive of the bus or the state of stacks",
            "make another bucket beside it, and copy the objects.",
            "https://docs.cloud.google.com/storage/docs/deleting-buckets",
            "copy the objects to another bucket.",
        ),
        properties={},
    ),
    "gcp:storage/bucketObject:BucketObject": Effects(
        gone=loses(
            "its content",
            "write the new object under another name.",
            "https://docs.cloud.google.com/storage/docs/deleting-objects",
            "copy it.",
        ),
        properties={},
    ),
    "gcp:bigquery/dataset:Dataset": Effects(
        gone=loses(
            "all its tables",
            "make another dataset beside it, and copy the tables.",
            "https://docs.cloud.google.com/bigquery/docs/managing-datasets",
            "copy the tables.",
        ),
        properties={},
    ),
    "gcp:bigquery/table:Table": Effects(
        gone=loses(
            "all its rows",
            "make another table beside it, and copy the rows.",
            "https://docs.cloud.google.com/bigquery/docs/managing-tables",
            "copy the rows.",
        ),
        properties={},
    ),
    "gcp:artifactregistry/repository:Repository": Effects(
        gone=loses(
            "all images, among them those that run: no instance of the service can start any more",
            "make another repository beside it, and deploy from that.",
            "https://docs.cloud.google.com/artifact-registry/docs/repositories/delete-repos",
            "deploy from another repository.",
        ),
        properties={},
    ),
}
