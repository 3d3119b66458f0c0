"""Cloud Run: what a change of each property does to those who append, read and consume."""

from typing import Any

import pytest

from event_store_infra.preview.effects.effect import HARMLESS, Effect, Severity
from event_store_infra.preview.effects.workload import run
from event_store_infra.preview.effects.workload.run import JOB, POOL, SERVICE
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from tests.event_store_infra.preview.effects.changed import changed, updated
from tests.event_store_infra.preview.effects.judged import check, check_both, told_of, untried, worst_of

STOPS, LESS_SAFE = Severity.STOPS, Severity.LESS_SAFE
ALL, BALANCED, INTERNAL = (
    f"INGRESS_TRAFFIC_{each}" for each in ("ALL", "INTERNAL_LOAD_BALANCER", "INTERNAL_ONLY")
)
CONTAINER = "template.containers[0]"
WAY = {
    "egress": "PRIVATE_RANGES_ONLY",
    "networkInterfaces": [{"network": "projects/p/global/networks/a", "subnetwork": "a"}],
}
ELSEWHERE = {**WAY, "networkInterfaces": [{"network": "b", "subnetwork": "b"}]}

KINDS = ((SERVICE, "template"), (POOL, "template"), (JOB, "template.template"))
IMAGE = [{"image": "a"}]
PROBED = {"grpc": {"port": 1}}
# Of all three.
ABOUT: list[tuple[str, Any, Any, Severity, str]] = [
    ("deletionProtection", True, False, LESS_SAFE, "no longer refuses"),
    ("deletionProtection", None, False, LESS_SAFE, "no longer refuses"),
    ("deletionPolicy", "PREVENT", None, LESS_SAFE, "deletes it in Google Cloud"),
    ("deletionPolicy", "ABANDON", "DELETE", LESS_SAFE, "deletes it in Google Cloud"),
    ("binaryAuthorization.breakglassJustification", None, "now", LESS_SAFE, "the policy refuses it"),
    ("binaryAuthorization.policy", "a", None, LESS_SAFE, "images are checked"),
    ("binaryAuthorization.useDefault", True, None, LESS_SAFE, "images are checked"),
]
IN_TEMPLATE: list[tuple[str, Any, Any, Severity, str]] = [
    ("containers[0].resources.limits", {"memory": "1Gi"}, {"memory": "512Mi"}, LESS_SAFE, "more memory"),
    ("containers[0].resources.limits", {"memory": "1Gi"}, None, LESS_SAFE, "more memory"),
    ("containers", [*IMAGE, {"image": "b"}], IMAGE, LESS_SAFE, "no longer runs"),
    ("encryptionKey", "k", None, LESS_SAFE, "Google's key"),
    ("gpuZonalRedundancyDisabled", False, True, LESS_SAFE, "GPUs"),
    ("serviceAccount", "a", None, LESS_SAFE, "another account"),
    ("volumes[0].gcs.readOnly", False, True, LESS_SAFE, "no longer write"),
    ("volumes[0].nfs.readOnly", None, True, LESS_SAFE, "no longer write"),
]
ONE_WAY: list[tuple[str, str, Any, Any, Severity, str]] = [
    *((kind, *case) for kind, _ in KINDS for case in ABOUT),
    *((kind, f"{at}.{path}", *case) for kind, at in KINDS for path, *case in IN_TEMPLATE),
    (SERVICE, "buildConfig.enableAutomaticUpdates", True, False, LESS_SAFE, "patches the base image"),
    (SERVICE, "customAudiences", ["a", "b"], ["b"], STOPS, "an audience that goes"),
    (SERVICE, "defaultUriDisabled", False, True, STOPS, "run.app"),
    (SERVICE, "multiRegionSettings.regions", ["a", "b"], ["a"], STOPS, "a region that goes"),
    (SERVICE, "scaling.manualInstanceCount", 1, 0, STOPS, "no instance runs"),
    (SERVICE, "scaling.manualInstanceCount", 3, 2, LESS_SAFE, "fewer instances"),
    (SERVICE, "scaling.maxInstanceCount", None, 3, LESS_SAFE, "fewer instances"),
    (SERVICE, "scaling.scalingMode", "AUTOMATIC", "MANUAL", STOPS, "no instance runs"),
    (SERVICE, "template.containers[0].ports.name", "h2c", "http1", STOPS, "HTTP/1"),
    (SERVICE, "template.containers[0].ports.name", "h2c", None, STOPS, "HTTP/1"),
    (SERVICE, "sshEnabled", None, True, LESS_SAFE, "log in"),
    *(
        (kind, "template.containers", [{**IMAGE[0], probe: PROBED}], IMAGE, LESS_SAFE, words)
        for kind in (SERVICE, POOL)
        for probe, words in (
            ("livenessProbe", "no longer restarted"),
            ("startupProbe", "before it can answer"),
        )
    ),
    (
        *(SERVICE, "template.containers", [{**IMAGE[0], "readinessProbe": PROBED}], IMAGE),
        *(LESS_SAFE, "that cannot answer"),
    ),
    (SERVICE, "template.healthCheckDisabled", None, True, LESS_SAFE, "has not shown"),
    (SERVICE, "template.maxInstanceRequestConcurrency", None, 40, LESS_SAFE, "fewer requests"),
    (SERVICE, "template.scaling.maxInstanceCount", 10, 1, LESS_SAFE, "fewer instances"),
    (SERVICE, "template.timeout", "3600s", "60s", LESS_SAFE, "cut off"),
    (SERVICE, "template.serviceMesh.mesh", "a", None, STOPS, "mesh"),
    (SERVICE, "template.vpcAccess", WAY, None, STOPS, "everybody who reads or appends"),
    (SERVICE, "traffics", [{"tag": "blue"}], [{"percent": 100}], STOPS, "blue"),
    (POOL, "scaling.manualInstanceCount", 1, 0, STOPS, "nothing is published"),
    (POOL, "scaling.manualInstanceCount", 2, 1, LESS_SAFE, "stand by"),
    (POOL, "scaling.maxInstanceCount", 1, 0, STOPS, "nothing is published"),
    (POOL, "scaling.minInstanceCount", 1, None, LESS_SAFE, "publishes nothing"),
    (POOL, "scaling.scalingMode", "MANUAL", "AUTOMATIC", LESS_SAFE, "no longer fixed"),
    (POOL, "template.encryptionKeyRevocationAction", "PREVENT_NEW", "SHUTDOWN", LESS_SAFE, "revoked"),
    (POOL, "template.vpcAccess", WAY, None, STOPS, "publishing"),
    (JOB, "runExecutionToken", "a", None, LESS_SAFE, "before the migrations"),
    (JOB, "template.template.maxRetries", 0, None, LESS_SAFE, "tried again"),
    (JOB, "template.template.timeout", "1800s", None, LESS_SAFE, "takes longer"),
    (JOB, "template.template.vpcAccess", WAY, None, STOPS, "migrations"),
]
# Either way somebody is let in who was not, or the other way round.
OTHER_IN_TEMPLATE: list[tuple[str, Any, Any, str]] = [
    ("containers[0].args", ["serve"], ["relay"], "another command"),
    ("containers[0].commands", ["event-store"], ["sh"], "another command"),
    ("containers[0].workingDir", None, "/", "another command"),
    *(
        (f"containers[0].volumeMounts[0].{name}", "a", "b", "no longer the same")
        for name in ("mountPath", "name")
    ),
    ("containers[0].volumeMounts[0].subPath", "a", "b", "no longer the same"),
    ("volumes[0].cloudSqlInstance.instances", ["a"], ["b"], "no longer the same"),
    *(
        (f"volumes[0].{name}", "a", "b", "no longer the same")
        for name in ("gcs.bucket", "name", "nfs.path", "nfs.server", "secret.items[0].path", "secret.secret")
    ),
    ("serviceAccount", "a", "b", "another account"),
    ("vpcAccess", WAY, {**WAY, "egress": "ALL_TRAFFIC"}, "public addresses"),
]
IDENTITIES = ("identity", "identityCertificateEnabled", "identityType")
BOTH_WAYS: list[tuple[str, str, Any, Any, Severity, Severity, str]] = [
    *(
        (kind, f"{at}.{path}", old, new, LESS_SAFE, LESS_SAFE, words)
        for kind, at in KINDS
        for path, old, new, words in OTHER_IN_TEMPLATE
    ),
    *(
        (kind, f"{at}.workloadIdentityConfig.{name}", "a", "b", LESS_SAFE, LESS_SAFE, "another account")
        for kind, at in (KINDS[0], KINDS[2])
        for name in IDENTITIES
    ),
    *(
        (
            kind,
            f"template.containers[0].{probe}.{name}",
            "a",
            "b",
            LESS_SAFE,
            LESS_SAFE,
            "does not answer there",
        )
        for kind, probe in ((SERVICE, "livenessProbe"), (POOL, "livenessProbe"), (SERVICE, "readinessProbe"))
        for name in ("grpc.port", "grpc.service", "httpGet.path", "httpGet.port", "tcpSocket.port")
        if (probe, name) != ("readinessProbe", "tcpSocket.port")
    ),
    *((kind, f"{at}.vpcAccess", WAY, ELSEWHERE, STOPS, STOPS, "the other network") for kind, at in KINDS),
    (SERVICE, "ingress", ALL, BALANCED, STOPS, LESS_SAFE, "no longer let in"),
    (SERVICE, "ingress", BALANCED, INTERNAL, STOPS, LESS_SAFE, "no longer let in"),
    (SERVICE, "ingress", None, INTERNAL, STOPS, LESS_SAFE, "no longer let in"),
    (SERVICE, "invokerIamDisabled", True, None, STOPS, LESS_SAFE, "roles/run.invoker"),
    (SERVICE, "iapEnabled", None, True, STOPS, LESS_SAFE, "Identity-Aware Proxy"),
    (SERVICE, "template.vpcAccess", {"connector": "a"}, {"connector": "b"}, STOPS, STOPS, "other network"),
]
OF_A_DEPLOYMENT: list[tuple[str, str, Any, Any]] = [
    (SERVICE, f"{CONTAINER}.image", "a", "b"),
    (SERVICE, f"{CONTAINER}.image", "a", LATER),
    (SERVICE, "labels", {"a": "b"}, None),
    (SERVICE, "deletionPolicy", None, "DELETE"),
    (SERVICE, "ingress", None, ALL),
    (SERVICE, f"{CONTAINER}.resources.limits", {"cpu": "2", "memory": "512Mi"}, {"cpu": "1"}),
    (SERVICE, f"{CONTAINER}.livenessProbe", {"grpc": {"port": 1}}, {"tcpSocket": {"port": 1}}),
    (SERVICE, f"{CONTAINER}.livenessProbe.periodSeconds", 15, 30),
    (SERVICE, "template.scaling.minInstanceCount", 1, 0),  # another program's, without a relay
    (SERVICE, f"{CONTAINER}.resources.cpuIdle", False, True),
    (
        SERVICE,
        "template.containers",
        [{"image": "a", "envs": [{"name": "X", "value": "1"}]}],
        [{"image": "a"}],
    ),
    (SERVICE, "traffics", [{"tag": "canary", "percent": 0}], [{"percent": 100}]),
    (SERVICE, "template.vpcAccess", WAY, {"networkInterfaces": [{"network": "a", "subnetwork": "a"}]}),
    (POOL, f"{CONTAINER}.image", "a", LATER),
    (JOB, "runExecutionToken", "a", LATER),
    (JOB, "template.template.containers[0].image", "a", LATER),
    (JOB, "template.taskCount", 1, 2),
]


@pytest.mark.parametrize("case", ONE_WAY, ids=lambda case: f"{case[0].rpartition(':')[2]}.{case[1]}")
def test_one_direction_is_told(case: tuple[str, str, object, object, Severity, str]) -> None:
    """The change is told by what it does, and its way back is harmless."""
    check(case)


@pytest.mark.parametrize("case", BOTH_WAYS, ids=lambda case: f"{case[0].rpartition(':')[2]}.{case[1]}")
def test_both_directions_are_told(case: tuple[str, str, object, object, Severity, Severity, str]) -> None:
    """What is another value, and no more or less, has an effect in both directions."""
    check_both(case)


def test_each_line_is_tried() -> None:
    """A line of the tables that no case above changes is a line that could be wrong."""
    assert untried(run.TABLES, [*ONE_WAY, *BOTH_WAYS]) == []


@pytest.mark.parametrize(("kind", "path", "old", "new"), OF_A_DEPLOYMENT)
def test_a_deployment_is_harmless(kind: str, path: str, old: object, new: object) -> None:
    """What each deployment, canary or larger machine changes is not told."""
    assert told_of(kind, path, old, new) == HARMLESS
    assert told_of(kind, path, new, old) == HARMLESS


@pytest.mark.parametrize(
    "path", ["ingress", "template.vpcAccess", "template.timeout", "traffics", "template.volumes"]
)
def test_what_only_the_update_can_tell_is_told(path: str) -> None:
    """Nobody can say that it is harmless."""
    old = {"ingress": ALL, "template.timeout": "3600s", "traffics": [{"tag": "a"}]}.get(path, WAY)

    assert told_of(SERVICE, path, old, LATER).severity >= LESS_SAFE


def test_a_subnetwork_or_a_tag_of_the_network_is_less_safe() -> None:
    """In the same network firewalls may tell one address, or one tag, from another."""
    tagged = {**WAY, "networkInterfaces": [{**WAY["networkInterfaces"][0], "tags": ["a"]}]}  # type: ignore[dict-item]
    moved = {**WAY, "networkInterfaces": [{"network": "a", "subnetwork": "c"}]}

    assert "another range" in told_of(SERVICE, "template.vpcAccess", WAY, moved).what
    assert "network tags" in told_of(SERVICE, "template.vpcAccess", tagged, WAY).what
    assert told_of(SERVICE, "template.vpcAccess", WAY, tagged) == HARMLESS


def _ours(image: str, **properties: object) -> dict[str, object]:
    return {"image": image, "envs": [{"name": "EVENT_STORE_RELAY", "value": "on"}], **properties}


def test_a_sidecar_takes_no_container_s_place() -> None:
    """Before a container without a name, or after it, it changes nothing of that one."""
    ours, sidecar = _ours("r/events@sha256:1", args=["serve"]), {"image": "r/otel:2", "commands": ["otel"]}
    newer = _ours("r/events@sha256:2", args=["serve"])
    template = {"scaling": {"minInstanceCount": 1}}

    def told(old: list[object], new: list[object]) -> Effect:
        return worst_of(changed(SERVICE, "template", *({**template, "containers": x} for x in (old, new))))

    assert told([ours], [sidecar, ours]) == told([ours], [newer, sidecar]) == HARMLESS
    assert told([sidecar, ours], [ours]).what == "the container no longer runs"
    assert told([ours], [sidecar, _ours("r/events:1", args=["relay"])]).what.startswith("it runs")
    assert told([sidecar, ours], [ours, {**sidecar, "image": "r/otel:3"}]) == HARMLESS


def test_an_instance_may_be_kept_by_the_service_instead_of_its_revision() -> None:
    """The relay runs without requests as long as either says so, or the number is fixed by hand."""
    by_revision = {"template": {"containers": [_ours("a")], "scaling": {"minInstanceCount": 1}}}
    by_nobody = {"template": {"containers": [_ours("a")], "scaling": {"minInstanceCount": 0}}}
    by_service = {**by_nobody, "scaling": {"minInstanceCount": 1}}
    by_hand = {**by_nobody, "scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 2}}
    later = {**by_nobody, "scaling": {"scalingMode": "MANUAL", "manualInstanceCount": LATER}}

    def told(old: dict[str, Any], new: dict[str, Any]) -> str:
        return worst_of(updated(SERVICE, old, new)).what

    assert told(by_revision, by_service) == told(by_service, by_revision) == ""
    assert "fewer instances" in told(by_revision, by_hand)
    assert "no relay runs" in told(by_service, by_nobody)
    assert "no instance runs" in told(by_service, later)


def test_a_container_that_no_longer_runs_is_told() -> None:
    """It is found by its name, wherever it stands in the list."""
    one, two = {"name": "a", "image": "a"}, {"name": "b", "image": "b"}
    plan = changed(SERVICE, "template.containers", [one, two], [two])

    assert worst_of(plan).what == "the container no longer runs"
    assert worst_of(changed(SERVICE, "template.containers", [one, two], [two, one])) == HARMLESS
    assert worst_of(changed(SERVICE, "template.containers", [two], [one, two])) == HARMLESS


@pytest.mark.parametrize("relay", [[], [{"name": "EVENT_STORE_RELAY", "value": "on"}]])
def test_a_service_that_relays_needs_an_instance(relay: list[object]) -> None:
    """Without one, or without CPU between requests, nothing is published while nobody calls."""
    ours = [{"name": "EVENT_STORE_ROUTING", "value": "{}"}, *relay]
    off = [*ours[:1], {"name": "EVENT_STORE_RELAY", "value": "off"}]

    def template(envs: list[object], least: int, *, idle: bool) -> dict[str, object]:
        return {
            "scaling": {"minInstanceCount": least},
            "containers": [{"envs": envs, "resources": {"cpuIdle": idle}}],
        }

    def told(envs: list[object], least: int, *, idle: bool) -> str:
        plan = changed(SERVICE, "template", template(envs, 1, idle=False), template(envs, least, idle=idle))
        return worst_of(plan).what

    assert "publishing while nobody calls" in told(ours, 0, idle=False)
    assert "no CPU" in told(ours, 1, idle=True)
    assert told(off, 0, idle=True) == ""
    assert told(ours, 2, idle=False) == ""
