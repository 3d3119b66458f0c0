"""What keeps objects, rows and images."""

from collections.abc import Mapping
from typing import Final

from infra.preview.effects.effect import Effects, loses

TABLES: Final[Mapping[str, Effects]] = {
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
