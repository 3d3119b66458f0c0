"""The outputs that all types of Cloud Run share."""

from typing import Any

from local_gcp.resource.kind import Draft
from local_gcp.resource.place import digits
from local_gcp.resource.properties import Properties

TIME = "2025-08-09T00:00:00.000000Z"


def run_outputs(draft: Draft, generation: int, **own: Any) -> Properties:
    """Return a resource's outputs in a generation, including those of its type alone."""
    labels = draft.inputs.get("labels", {})
    return {
        "project": draft.place.of(draft.inputs).project,
        "uid": digits(draft.id, 12),
        "generation": str(generation),
        "observedGeneration": str(generation),
        "etag": f'"{digits(f"{draft.id}{generation}", 12)}"',
        "createTime": TIME,
        "updateTime": TIME,
        "launchStage": "GA",
        "effectiveLabels": labels,
        "pulumiLabels": labels,
        "reconciling": False,
        **own,
        **draft.inputs,
    }
