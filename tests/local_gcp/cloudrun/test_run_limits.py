"""What Cloud Run would refuse of a service, a worker pool or a job is refused before anything is made."""

from typing import Any

import pytest

from local_gcp.cloudrun import run_rules as run
from local_gcp.resource import Limits
from local_gcp.resource.properties import UNKNOWN
from tests.local_gcp.resource.inputs import (
    JOB,
    LATEST,
    POOL_OF_WORKERS,
    SERVICE,
    must_refuse,
    with_value,
)


@pytest.mark.parametrize(
    ("limits", "inputs", "path", "value", "place", "reason"),
    [
        (
            *(run.SERVICE, SERVICE, "template.containers.0.startupProbe.failureThreshold", 300),
            *("template.containers[0].startupProbe", "at most 240"),
        ),
        (
            *(run.SERVICE, SERVICE, "template.containers.0.envs", [{"name": "PORT", "value": "1"}]),
            *("template.containers[0].envs", "PORT"),
        ),
        (
            *(run.SERVICE, SERVICE, "template.containers.0.resources.limits", {"cpu": "4", "memory": "1Gi"}),
            *("template.containers[0].resources.limits", "2Gi"),
        ),
        (run.SERVICE, SERVICE, "traffics", [LATEST | {"percent": 90}], "traffics", "100"),
        (run.SERVICE, SERVICE, "traffics.0.type", "LATEST", "traffics[0].type", "one of TRAFFIC"),
        (run.SERVICE, SERVICE, "traffics.0.percent", 101, "traffics[0].percent", "0 to 100"),
        (run.SERVICE, SERVICE, "traffics.0.tag", "Canary", "traffics[0].tag", "lower-case letters"),
        (
            *(run.SERVICE, SERVICE, "traffics", [LATEST | {"type": run.REVISION}]),
            *("traffics[0].revision", f"belongs to {run.REVISION}"),
        ),
        (
            *(run.SERVICE, SERVICE, "traffics", [LATEST | {"tag": "a", "percent": 50}] * 2),
            *("traffics", "has the tag a twice"),
        ),
        (
            *(run.WORKER_POOL, POOL_OF_WORKERS, "scaling", {"manualInstanceCount": -1}),
            *("scaling.manualInstanceCount", "0 to 1000"),
        ),
        (
            *(run.WORKER_POOL, POOL_OF_WORKERS, "scaling", {"scalingMode": "NONE"}),
            *("scaling.scalingMode", "one of AUTOMATIC"),
        ),
        (
            *(run.WORKER_POOL, POOL_OF_WORKERS, "instanceSplits", [{"percent": 90}]),
            *("instanceSplits", "100"),
        ),
        (
            *(run.WORKER_POOL, POOL_OF_WORKERS, "template.containers.0.envs", [{"name": "K_SERVICE"}]),
            *("template.containers[0].envs", "K_SERVICE"),
        ),
        (
            *(run.WORKER_POOL, POOL_OF_WORKERS, "template.timeout", "60s"),
            *("template.timeout", "not a property"),
        ),
        (run.JOB, JOB, "template.template.maxRetries", 11, "template.template.maxRetries", "0 to 10"),
        (run.JOB, JOB, "runExecutionToken", "x" * 60, "runExecutionToken", "62 characters"),
    ],
)  # fmt: skip
def test_a_wrong_property_is_refused_with_its_path_and_range(
    limits: Limits, inputs: dict[str, Any], path: str, value: Any, place: str, reason: str
) -> None:
    """A failure names the property and what is allowed, and there is no other."""
    must_refuse(limits, inputs, path, value, place, reason)


def test_unknown_values_are_left_for_the_update() -> None:
    """In a preview nothing is refused for what it cannot know."""
    unknown = with_value(SERVICE, "template.containers.0.image", UNKNOWN) | {"name": UNKNOWN}

    assert run.SERVICE.check(unknown)[1] == []
    assert run.SERVICE.check(SERVICE | {"template": UNKNOWN})[1] == []
