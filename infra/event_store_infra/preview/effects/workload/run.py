"""Cloud Run: the service, the relay's worker pool, and the job that migrates."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from event_store_infra.preview.effects.deletion import DELETION
from event_store_infra.preview.effects.effect import (
    HARMLESS,
    Effect,
    Effects,
    Rule,
    Told,
    less_safe,
    stops,
)
from event_store_infra.preview.effects.rules import (
    becomes,
    begins,
    drops,
    either,
    ends,
    falls,
    harmless,
    moves,
    parts_from,
    rises,
    same,
    thins,
    towards,
)
from event_store_infra.preview.effects.workload.containers import (
    align,
    also,
    items,
    of_containers,
    of_probe,
    of_volumes,
    of_vpc_access,
)
from event_store_infra.preview.effects.workload.scaling import of_scaling
from event_store_infra.preview.effects.workload.variables import (
    APPENDS_ELSEWHERE,
    MIGRATES_ELSEWHERE,
    PUBLISHES_ELSEWHERE,
)
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import Step

SERVICE: Final = "gcp:cloudrunv2/service:Service"
POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
JOB: Final = "gcp:cloudrunv2/job:Job"

_INGRESS: Final = "https://docs.cloud.google.com/run/docs/securing/ingress"
_INVOKERS: Final = "https://docs.cloud.google.com/run/docs/securing/managing-access#invoker_check"
_IAP: Final = "https://docs.cloud.google.com/run/docs/securing/identity-aware-proxy-cloud-run"
_AUDIENCES: Final = "https://docs.cloud.google.com/run/docs/configuring/custom-audiences"
_REGIONS: Final = "https://docs.cloud.google.com/run/docs/multiple-regions"
_POOLS: Final = "https://docs.cloud.google.com/run/docs/configuring/workerpools/manual-scaling"
_CHECKED: Final = "https://docs.cloud.google.com/run/docs/securing/binary-authorization"
_TIMEOUT: Final = "https://docs.cloud.google.com/run/docs/configuring/request-timeout"
_IDENTITY: Final = "https://docs.cloud.google.com/run/docs/configuring/services/service-identity"
_NETWORK: Final = "https://docs.cloud.google.com/run/docs/configuring/vpc-direct-vpc"
_CMEK: Final = "https://docs.cloud.google.com/run/docs/securing/using-cmek"
_EXECUTION: Final = "https://docs.cloud.google.com/run/docs/execute/jobs"
_SOURCE: Final = "https://docs.cloud.google.com/run/docs/configuring/services/automatic-base-image-updates"
_SERVES: Final = (
    "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
    "INGRESS_TRAFFIC_ALL",
)
# The tag of a canary, which goes with it: infra/event_store_infra/components/workload/event_store.py.
_OF_TRIALS: Final = {"canary"}

GONE_POOL: Final = stops(
    "publishing, unless the service relays", "https://docs.cloud.google.com/run/docs/deploy-worker-pools"
)


def _vpc_access(who: str) -> Rule:
    """Return the rule of the whole block: who the containers are, and no longer reach."""

    def judge(old: Any, new: Any) -> Effect:
        before, after = (_way(each) for each in (old, new))
        if before["network"] not in (set(), after["network"]):
            return stops(
                f"{who}, unless the database is reached from the other network, too",
                _NETWORK,
            )
        if before["subnetwork"] not in (set(), after["subnetwork"]):
            return less_safe(
                "instances get addresses of another range: firewalls may know the former only", _NETWORK
            )
        if before["tags"] - after["tags"]:
            return less_safe("firewall rules for its network tags no longer apply to it", _NETWORK)
        if before["egress"] != after["egress"]:
            return less_safe(
                "requests to public addresses take another way, and come from another address", _NETWORK
            )
        return HARMLESS

    return judge


def _way(access: Any) -> dict[str, set[str]]:
    """Return by what containers reach the network; a network in another spelling is the same."""
    given = access if isinstance(access, Mapping) else {}
    interfaces = items(given.get("networkInterfaces"))
    named = {
        name: {str(each[name]).rpartition("/")[2] for each in interfaces if each.get(name)}
        for name in ("network", "subnetwork")
    }
    named["network"] |= {str(given["connector"])} if given.get("connector") else set()
    named["tags"] = {str(tag) for each in interfaces for tag in each.get("tags") or ()}
    named["egress"] = {str(given.get("egress") or "PRIVATE_RANGES_ONLY")}
    return named


def _tags(old: Any, new: Any) -> Effect:
    """A revision with a tag has an address of its own beside the service's."""
    before, after = ({str(each["tag"]) for each in items(listed) if each.get("tag")} for listed in (old, new))
    gone = sorted(before - after - _OF_TRIALS)
    if not gone:
        return HARMLESS
    return stops(
        f"whoever calls a revision by the address of its tag {', '.join(map(code, gone))}",
        "https://docs.cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration#tags",
    )


_ABOUT: Final = {
    **harmless("annotations", "client", "clientVersion", "description", "labels"),
    **harmless("launchStage"),
    # Another value is another resource, which is judged as the end of this one.
    **harmless("location", "name", "project", "functionalType", "tags"),
    **DELETION,
}
_BINARIES: Final = {
    "binaryAuthorization.breakglassJustification": begins(
        less_safe("the image is run although the policy refuses it", _CHECKED)
    ),
    **same(
        moves(less_safe("images are checked by another policy before they run, or not at all", _CHECKED)),
        *("policy", "useDefault"),
        at="binaryAuthorization",
    ),
}
ANOTHER_ACCOUNT: Final = less_safe(
    "it acts as another account, and has only what that one is granted", _IDENTITY
)
_ACTS_AS: Final = moves(ANOTHER_ACCOUNT)


def _template(at: str) -> dict[str, Rule]:
    """Return the rules of what all three have in common in their template."""
    return {
        **of_containers(f"{at}.containers"),
        **of_volumes(f"{at}.volumes"),
        **of_vpc_access(f"{at}.vpcAccess"),
        f"{at}.serviceAccount": _ACTS_AS,
        f"{at}.encryptionKey": drops(
            less_safe(
                "the image is encrypted with Google's key, no longer with one that can be revoked", _CMEK
            )
        ),
        f"{at}.gpuZonalRedundancyDisabled": begins(
            less_safe(
                "without GPUs in its zone it does not start in another one",
                "https://docs.cloud.google.com/run/docs/configuring/services/gpu-zonal-redundancy",
            )
        ),
        **harmless("nodeSelector.accelerator", at=at),
    }


_IDENTITIES: Final = ("identity", "identityCertificateEnabled", "identityType")
_SERVICE_PROPERTIES: Final[Mapping[str, Rule]] = {
    **_ABOUT,
    **_BINARIES,
    **_template("template"),
    **of_probe("template.containers.livenessProbe"),
    **of_probe("template.containers.startupProbe"),
    **of_probe("template.containers.readinessProbe", has_headers=False, has_delay=False),
    **harmless("successThreshold", at="template.containers.readinessProbe"),
    # Each builds the next revision, which takes over once it is ready.
    **harmless("baseImage", "environmentVariables", "functionTarget", "imageUri", "name", at="buildConfig"),
    **harmless("serviceAccount", "sourceLocation", "workerPool", at="buildConfig"),
    **harmless("baseImageUri", at="template.containers"),
    **harmless("buildInfos.functionTarget", "buildInfos.sourceLocation", at="template.containers"),
    **harmless("bucket", "generation", "object", at="template.containers.sourceCode.cloudStorageSource"),
    "buildConfig.enableAutomaticUpdates": ends(
        less_safe("Google no longer patches the base image by itself", _SOURCE)
    ),
    "customAudiences": thins(stops("whoever calls with a token for an audience that goes", _AUDIENCES)),
    "defaultUriDisabled": begins(
        stops("everybody who calls the service by its run.app address", f"{_INGRESS}#disable-url")
    ),
    "iapEnabled": either(
        begins(stops("every caller whom Identity-Aware Proxy does not let in", _IAP)),
        ends(less_safe("callers no longer pass Identity-Aware Proxy", _IAP)),
    ),
    "ingress": either(
        towards(
            stops("every caller from a network that is no longer let in", _INGRESS),
            *reversed(_SERVES),
            unset=_SERVES[-1],
        ),
        towards(less_safe("callers from more networks are let in", _INGRESS), *_SERVES, unset=_SERVES[-1]),
    ),
    "invokerIamDisabled": either(
        begins(
            less_safe("whoever reaches the service may read and append: nobody's right is checked", _INVOKERS)
        ),
        ends(stops("every caller without `roles/run.invoker`", _INVOKERS)),
    ),
    **harmless("multiRegionId", at="multiRegionSettings"),
    "multiRegionSettings.regions": thins(stops("whoever is served by a region that goes", _REGIONS)),
    # Together, in `also`.
    **harmless("manualInstanceCount", "maxInstanceCount", "minInstanceCount", "scalingMode", at="scaling"),
    "sshEnabled": begins(
        less_safe(
            "people can log in to the instances",
            "https://docs.cloud.google.com/run/docs/configuring/services/ssh",
        )
    ),
    **harmless("annotations", "executionEnvironment", "labels", "revision", "sessionAffinity", at="template"),
    # Only with the relay in it CPU is needed without requests: in `also`.
    **harmless("cpuIdle", "startupCpuBoost", at="template.containers.resources"),
    # A revision that does not listen there does not become ready.
    **harmless("ports.containerPort", at="template.containers"),
    "template.containers.ports.name": parts_from(
        stops(
            "everybody who reads or appends: requests come by HTTP/1, which the service does not speak",
            "https://docs.cloud.google.com/run/docs/configuring/http2",
        ),
        "h2c",
    ),
    **harmless("concurrencyUtilization", "cpuUtilization", at="template.scaling"),
    **harmless("maxInstanceCount", "minInstanceCount", at="template.scaling"),  # in `also`
    "template.maxInstanceRequestConcurrency": falls(
        less_safe(
            "an instance takes fewer requests and streams at a time: what all of them cannot take is refused",
            "https://docs.cloud.google.com/run/docs/about-concurrency",
        ),
        unset=80,
    ),
    "template.timeout": falls(
        less_safe("requests and streams that take longer are cut off", _TIMEOUT), unset=300
    ),
    "template.healthCheckDisabled": begins(
        less_safe(
            "a revision gets requests that has not shown that it can answer",
            "https://docs.cloud.google.com/run/docs/configuring/healthchecks",
        )
    ),
    "template.serviceMesh.mesh": moves(
        stops(
            "what it calls by names of the mesh",
            "https://docs.cloud.google.com/run/docs/configuring/configure-cloud-service-mesh",
        )
    ),
    **same(_ACTS_AS, *_IDENTITIES, at="template.workloadIdentityConfig"),
    # What a program starts on its own behalf, as code that an agent has written.
    **harmless("args", "commands", "image", "name", "workingDir", at="template.sandboxes.templates"),
    **harmless("envs.name", "envs.value", at="template.sandboxes.templates"),
    **harmless("mountPath", "name", "subPath", at="template.sandboxes.templates.volumeMounts"),
    # A canary and a rollback change which revision serves: docs/howto/deploy.md. A tag is judged in `blocks`.
    **harmless("percent", "revision", "tag", "type", at="traffics"),
}
_POOL_PROPERTIES: Final[Mapping[str, Rule]] = {
    **{name: rule for name, rule in _ABOUT.items() if name not in ("functionalType", "tags")},
    **_BINARIES,
    **_template("template"),
    **of_probe("template.containers.livenessProbe"),
    **of_probe("template.containers.startupProbe"),
    **harmless("percent", "revision", "type", at="instanceSplits"),
    **harmless("annotations", "client", "clientVersion", "labels", "revision", at="template"),
    **harmless("encryptionKeyShutdownDuration", at="template"),
    "template.encryptionKeyRevocationAction": becomes(
        less_safe("every instance is stopped as soon as the key is revoked", _CMEK), "SHUTDOWN"
    ),
    "scaling.manualInstanceCount": either(
        becomes(stops("every consumer: nothing is published without an instance", _POOLS), 0),
        falls(less_safe("fewer instances stand by for the one that publishes", _POOLS), unset=1),
    ),
    "scaling.maxInstanceCount": becomes(
        stops("every consumer: nothing is published without an instance", _POOLS), 0
    ),
    "scaling.minInstanceCount": falls(
        less_safe("it may run without any instance, which publishes nothing", _POOLS)
    ),
    "scaling.scalingMode": becomes(
        less_safe("how many instances run is no longer fixed", _POOLS), "AUTOMATIC"
    ),
}
_JOB_PROPERTIES: Final[Mapping[str, Rule]] = {
    **{name: rule for name, rule in _ABOUT.items() if name != "description"},
    **_BINARIES,
    **_template("template.template"),
    **of_probe("template.template.containers.startupProbe"),
    "runExecutionToken": drops(
        less_safe(
            "an update no longer waits for the job: the service may start before the migrations", _EXECUTION
        )
    ),
    **harmless("startExecutionToken"),
    **harmless("annotations", "delayExecution", "labels", "parallelism", "taskCount", at="template"),
    **harmless("ports.containerPort", "ports.name", at="template.template.containers"),
    **harmless("executionEnvironment", at="template.template"),
    "template.template.maxRetries": rises(
        less_safe(
            "a migration that failed is tried again before anybody has looked",
            "https://docs.cloud.google.com/run/docs/configuring/max-retries",
        ),
        unset=3,
    ),
    "template.template.timeout": falls(
        less_safe(
            "a migration that takes longer is ended",
            "https://docs.cloud.google.com/run/docs/configuring/task-timeout",
        ),
        unset=600,
    ),
    **same(_ACTS_AS, *_IDENTITIES, at="template.template.workloadIdentityConfig"),
}


def _of_a_service(step: Step) -> Iterator[Told]:
    yield from also(("template",), APPENDS_ELSEWHERE)(step)
    yield from of_scaling(step)


TABLES: Final[Mapping[str, Effects]] = {
    SERVICE: Effects(
        gone=stops(
            "everybody who appends or reads: the service goes",
            "https://docs.cloud.google.com/run/docs/managing/services#delete",
        ),
        properties=_SERVICE_PROPERTIES,
        blocks={"template.vpcAccess": _vpc_access("everybody who reads or appends"), "traffics": _tags},
        also=_of_a_service,
        aligned={"template.containers": align},
    ),
    POOL: Effects(
        gone=GONE_POOL,
        properties=_POOL_PROPERTIES,
        blocks={"template.vpcAccess": _vpc_access("publishing")},
        also=also(("template",), PUBLISHES_ELSEWHERE),
        aligned={"template.containers": align},
    ),
    JOB: Effects(
        gone=HARMLESS,  # a later update makes it again, and it runs then
        properties=_JOB_PROPERTIES,
        blocks={"template.template.vpcAccess": _vpc_access("migrations")},
        also=also(("template", "template"), MIGRATES_ELSEWHERE),
        aligned={"template.template.containers": align},
    ),
}
