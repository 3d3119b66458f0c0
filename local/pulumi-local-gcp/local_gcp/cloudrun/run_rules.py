"""The limits of Cloud Run: https://cloud.google.com/run/quotas and /run/docs/configuring/healthchecks."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local_gcp.recorded.iam import MEMBER
from local_gcp.resource.field import GIVEN, IMMUTABLE, Choice, Field, Seconds, Text, Whole
from local_gcp.resource.properties import Properties, is_known
from local_gcp.resource.table import Limits, Rule

_NAME: Final = Text(
    r"[a-z]([a-z0-9-]{0,47}[a-z0-9])?",
    "1 to 49 lower-case letters, digits and hyphens, beginning with a letter, not ending with a hyphen",
    required=True,
    immutable=True,
)
_OWN: Final[Mapping[str, Field]] = {
    "name": _NAME,
    "project": IMMUTABLE,
    "location": GIVEN,
    "deletionProtection": Field(default=True),
}
_RESERVED_ENVS: Final = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
_STARTUP_SECONDS: Final = 240
_TOKEN_CHARACTERS: Final = 62


def _probe(path: str, longest_seconds: int, http_path: str | None = "/") -> Mapping[str, Field]:
    return {
        f"{path}.initialDelaySeconds": Whole(0, longest_seconds, default=0),
        f"{path}.periodSeconds": Whole(1, longest_seconds, default=10),
        f"{path}.timeoutSeconds": Whole(1, longest_seconds, default=1),
        f"{path}.failureThreshold": Whole(1, 1000, default=3),
        f"{path}.tcpSocket.port": Whole(1, 65_535),
        f"{path}.grpc.port": Whole(1, 65_535),
        f"{path}.httpGet.path": Field(default=http_path),
    }


def _shared(template: str, http_path: str | None = "/") -> Mapping[str, Field]:
    containers = f"{template}.containers[]"
    return {
        f"{template}.containers": Field(required=True),
        f"{template}.vpcAccess.egress": Choice("ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"),
        f"{containers}.envs[].name": Text(r"[A-Za-z_]\w*", "a name of letters, digits and _"),
        f"{containers}.resources.limits": Field(),
        **_probe(f"{containers}.startupProbe", _STARTUP_SECONDS, http_path),
        f"{template}.volumes[].emptyDir.medium": Field(default="MEMORY"),
    }


def _generation(template: str) -> Mapping[str, Field]:
    generations = Choice("EXECUTION_ENVIRONMENT_GEN1", "EXECUTION_ENVIRONMENT_GEN2")
    return {f"{template}.executionEnvironment": generations}


def _containers(inputs: Properties) -> Iterator[tuple[str, Mapping[str, Any]]]:
    template, path = inputs["template"], "template"
    if isinstance(template, dict) and "template" in template:  # a job's
        template, path = template["template"], "template.template"
    containers = template.get("containers") if isinstance(template, dict) else None
    for index, container in enumerate(containers if isinstance(containers, list) else []):
        if isinstance(container, dict):
            yield f"{path}.containers[{index}]", container


def _envs_are_ours(inputs: Properties) -> Iterator[tuple[str, str]]:
    for path, container in _containers(inputs):
        names = [str(env.get("name")) for env in container.get("envs", []) if isinstance(env, dict)]
        for name in sorted(_RESERVED_ENVS.intersection(names)):
            yield f"{path}.envs", f"must not set {name}: Cloud Run does"
        for twice in sorted({each for each in names if names.count(each) > 1}):
            yield f"{path}.envs", f"sets {twice} twice"


def _limits_fit(inputs: Properties) -> Iterator[tuple[str, str]]:
    for path, container in _containers(inputs):
        limits = container.get("resources", {}).get("limits", {})
        cpu, memory = str(limits.get("cpu", "1")), str(limits.get("memory", "512Mi"))
        if not is_known([cpu, memory]):
            continue
        if cpu not in ("1", "2", "4", "6", "8") and not re.fullmatch(r"\d+m|0?\.\d+", cpu):
            yield f"{path}.resources.limits", f"cpu {cpu} must be 1, 2, 4, 6, 8 or less than 1"
        match = re.fullmatch(r"(\d+)(Mi|Gi|M|G)", memory)
        if match is None:
            yield f"{path}.resources.limits", f"memory {memory} must be like 512Mi or 2Gi"
        elif cpu in ("4", "6", "8"):
            least = 2 if cpu == "4" else 4
            if int(match[1]) < least * (1024 if match[2].startswith("M") else 1):
                yield f"{path}.resources.limits", f"memory must be at least {least}Gi with {cpu} CPUs"


def _probes_fit(inputs: Properties) -> Iterator[tuple[str, str]]:
    for path, container in _containers(inputs):
        for name in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = container.get(name)
            if not isinstance(probe, dict) or not is_known(probe):
                continue
            if len(probe.keys() & {"grpc", "httpGet", "tcpSocket"}) > 1:
                yield f"{path}.{name}", "must be one of grpc, httpGet and tcpSocket"
            if probe.get("timeoutSeconds", 1) > probe.get("periodSeconds", 10):
                yield f"{path}.{name}.timeoutSeconds", "must not be longer than periodSeconds"
            if (
                name == "startupProbe"
                and probe["failureThreshold"] * probe["periodSeconds"] > _STARTUP_SECONDS
            ):
                yield f"{path}.{name}", f"failureThreshold * periodSeconds must be at most {_STARTUP_SECONDS}"


def _scaling_in_order(inputs: Properties) -> Iterator[tuple[str, str]]:
    template = inputs["template"]
    scaling = template.get("scaling", {}) if isinstance(template, dict) else {}
    if not isinstance(scaling, dict):
        return
    lowest, highest = scaling.get("minInstanceCount", 0), scaling.get("maxInstanceCount")
    if is_known([lowest, highest]) and highest is not None and lowest > highest:
        yield "template.scaling.minInstanceCount", "must not be more than maxInstanceCount"


def _is_whole(name: str) -> Rule:
    def check(inputs: Properties) -> Iterator[tuple[str, str]]:
        shares = [each.get("percent", 0) for each in inputs.get(name, [])]
        if shares and is_known(shares) and sum(shares) != 100:  # noqa: PLR2004 # percent
            yield name, f"percents must add up to 100, but are {sum(shares)}"

    return check


def _traffic_is_named(inputs: Properties) -> Iterator[tuple[str, str]]:
    tags = [str(each["tag"]) for each in inputs.get("traffics", []) if each.get("tag")]
    for twice in sorted({each for each in tags if tags.count(each) > 1}):
        yield "traffics", f"has the tag {twice} twice"
    for index, each in enumerate(inputs.get("traffics", [])):
        if (each.get("type") == REVISION) != bool(each.get("revision")):
            yield f"traffics[{index}].revision", f"belongs to {REVISION}, which needs one"


def _token_fits(inputs: Properties) -> Iterator[tuple[str, str]]:
    for key in ("runExecutionToken", "startExecutionToken"):
        name, token = inputs.get("name", ""), inputs.get(key, "")
        if is_known([name, token]) and len(name) + len(token) > _TOKEN_CHARACTERS:
            yield key, f"must be at most {_TOKEN_CHARACTERS} characters together with the job's name"


LATEST: Final = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION: Final = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
SERVICE: Final = Limits(
    "gcp:cloudrunv2/service:Service",
    {
        **_OWN,
        "tags": IMMUTABLE,
        "ingress": Choice(
            "INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
        ),
        **_generation("template"),
        **_shared("template"),
        "template.timeout": Seconds(1, 3600),
        "template.maxInstanceRequestConcurrency": Whole(0, 1000),
        "template.containers[].ports.name": Choice("http1", "h2c"),
        "template.containers[].ports.containerPort": Whole(1, 65_535),
        **_probe("template.containers[].livenessProbe", 3600),
        # Google's own defaults, which the provider only reads.
        "template.containers[].readinessProbe.periodSeconds": Whole(1, 300),
        "template.containers[].readinessProbe.timeoutSeconds": Whole(1, 300),
        "template.containers[].readinessProbe.failureThreshold": Whole(1, 1000),
        "traffics[].type": Choice(LATEST, REVISION),
        "traffics[].percent": Whole(0, 100),
        "traffics[].tag": Text(
            r"[a-z]([a-z0-9-]{0,45}[a-z0-9])?",
            "1 to 47 lower-case letters, digits and hyphens, a letter first and no hyphen last",
        ),
    },
    rules=(
        _envs_are_ours,
        _limits_fit,
        _probes_fit,
        _scaling_in_order,
        _is_whole("traffics"),
        _traffic_is_named,
    ),
    autonamed=49,
)
JOB: Final = Limits(
    "gcp:cloudrunv2/job:Job",
    {
        **_OWN,
        "tags": IMMUTABLE,
        "template.template": Field(required=True),
        "template.taskCount": Whole(1, 10_000),
        "template.template.maxRetries": Whole(0, 10, default=3),
        "template.template.timeout": Seconds(1, 604_800),
        **_generation("template.template"),
        **_shared("template.template"),
    },
    exclusive=(("runExecutionToken", "startExecutionToken"),),
    rules=(_envs_are_ours, _limits_fit, _probes_fit, _token_fits),
    autonamed=49,
)
WORKER_POOL: Final = Limits(
    "gcp:cloudrunv2/workerPool:WorkerPool",
    {
        **_OWN,
        "template": Field(required=True),
        **_shared("template", http_path=None),
        **_probe("template.containers[].livenessProbe", 3600, http_path=None),
        "template.containers[].dependsOns": IMMUTABLE,
        "scaling.scalingMode": Choice("AUTOMATIC", "MANUAL"),
        "scaling.manualInstanceCount": Whole(0, 1000),
        "instanceSplits[].type": Choice(
            "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", "INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION"
        ),
        "instanceSplits[].percent": Whole(0, 100),
    },
    rules=(_envs_are_ours, _limits_fit, _probes_fit, _is_whole("instanceSplits")),
    autonamed=49,
)
SERVICE_IAM_MEMBER: Final = Limits(
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
    {"name": GIVEN, "location": IMMUTABLE, **MEMBER},
)
