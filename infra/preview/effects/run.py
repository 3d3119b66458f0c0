"""Cloud Run: the service, the relay's worker pool, and the job that migrates."""

from collections.abc import Mapping
from typing import Final

from infra.preview.effects.effect import HARMLESS, Effects, stops
from infra.preview.effects.rules import harmless

SERVICE: Final = "gcp:cloudrunv2/service:Service"
POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
JOB: Final = "gcp:cloudrunv2/job:Job"

TABLES: Final[Mapping[str, Effects]] = {
    SERVICE: Effects(
        gone=stops(
            "everybody who appends or reads: the service goes",
            "https://docs.cloud.google.com/run/docs/managing/services#delete",
        ),
        properties={**harmless("labels")},
    ),
    POOL: Effects(
        gone=stops(
            "publishing, unless the service relays",
            "https://docs.cloud.google.com/run/docs/deploy-worker-pools",
        ),
        properties={**harmless("labels")},
    ),
    JOB: Effects(gone=HARMLESS, properties={**harmless("labels")}),
}
