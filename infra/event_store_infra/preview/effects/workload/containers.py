"""The containers of Cloud Run: which one continues which, their variables by name, their probes."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

from event_store import environment
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Rule, Severity, Told, less_safe, stops
from event_store_infra.preview.effects.rules import begins, changes, harmless, same, swaps
from event_store_infra.preview.effects.workload.variables import of_variable
from event_store_infra.preview.plan.paths import BLINDED, Path, at, dotted, parsed, pattern
from event_store_infra.preview.plan.plan import Change, Step

_PROBES: Final[Mapping[str, str]] = {
    "startupProbe": "requests are sent to an instance before it can answer",
    "readinessProbe": "requests are still sent to an instance that cannot answer",
    "livenessProbe": "an instance that hangs is no longer restarted",
}
# By the probe that asks something else, which may have no answer. A startup probe without an answer keeps a
# revision from becoming ready, and the update fails instead.
_ASKED: Final[Mapping[str, str]] = {
    "readinessProbe": "an instance that does not answer there gets no requests",
    "livenessProbe": "an instance that does not answer there is ended, again and again",
}
_HEALTH: Final = "https://docs.cloud.google.com/run/docs/configuring/healthchecks"
_CONTAINERS: Final = "https://docs.cloud.google.com/run/docs/deploying#sidecars"
_MEMORY: Final = "https://docs.cloud.google.com/run/docs/configuring/services/memory-limits"
_BILLING: Final = "https://docs.cloud.google.com/run/docs/configuring/billing-settings"
_ANOTHER_COMMAND: Final = less_safe("it runs another command than before", _CONTAINERS)
_ANOTHER_FOLDER: Final = less_safe(
    "what it reads and writes there is no longer the same",
    "https://docs.cloud.google.com/run/docs/configuring/services/cloud-storage-volume-mounts",
)
_MEMORY_UNSET: Final = "512Mi"
_LESS_MEMORY: Final = less_safe(
    "an instance that needs more memory than that is ended, with all its requests", _MEMORY
)
_IDLE: Final = stops(
    "what works between requests: the relay, followers and replays get no CPU then",
    _BILLING,
    "leave `cpuIdle` false.",
)
_REPOSITORY: Final = re.compile(r"[@:][^/]*$")  # what follows the name of an image: a digest or a tag


def of_containers(at_: str) -> Mapping[str, Rule]:
    """Return the rules of the properties that the containers of all of Cloud Run have.

    Args:
        at_: Where they are, as in `template.containers`.
    """
    return {
        # A deployment: it is what the update is for. The next revision takes over once it is ready.
        **harmless("image", "name", "dependsOns", "sandboxLauncher", at=at_),
        # By name, in `also`; a secret that is not there keeps the revision from becoming ready.
        **harmless("envs.name", "envs.value", at=at_),
        **harmless("valueSource.secretKeyRef.secret", "valueSource.secretKeyRef.version", at=f"{at_}.envs"),
        **same(changes(_ANOTHER_COMMAND), "commands", "args", "workingDir", at=at_),
        **same(changes(_ANOTHER_FOLDER), "mountPath", "name", "subPath", at=f"{at_}.volumeMounts"),
        f"{at_}.resources.limits": _limits,
    }


def of_probe(at_: str, *, has_headers: bool = True, has_delay: bool = True) -> Mapping[str, Rule]:
    """Return the rules of a probe's properties; to lose it as a whole is less safe, see `also`."""
    what = _ASKED.get(at_.rpartition(".")[2])
    asked = ("grpc.port", "grpc.service", "httpGet.path", "httpGet.port", *(["tcpSocket.port"] * has_delay))
    return {
        **harmless("failureThreshold", "periodSeconds", "timeoutSeconds", at=at_),
        **(same(swaps(less_safe(what, _HEALTH)), *asked, at=at_) if what else harmless(*asked, at=at_)),
        **(harmless("httpGet.httpHeaders.name", "httpGet.httpHeaders.value", at=at_) if has_headers else {}),
        **(harmless("initialDelaySeconds", at=at_) if has_delay else {}),
    }


def of_volumes(at_: str) -> Mapping[str, Rule]:
    """Return the rules of a volume's properties."""
    read_only = begins(less_safe("it can no longer write there", _CONTAINERS))
    return {
        # What is in an empty directory goes with each instance.
        **harmless("emptyDir.medium", "emptyDir.sizeLimit", "gcs.mountOptions", "secret.defaultMode", at=at_),
        **harmless("secret.items.mode", "secret.items.version", at=at_),
        **same(
            changes(_ANOTHER_FOLDER),
            *("cloudSqlInstance.instances", "gcs.bucket", "name", "nfs.path", "nfs.server"),
            *("secret.items.path", "secret.secret"),
            at=at_,
        ),
        **same(read_only, "gcs.readOnly", "nfs.readOnly", at=at_),
    }


def of_vpc_access(at_: str) -> Mapping[str, Rule]:
    """Return the rules of how a container reaches the network, which `vpc_access` judges as a whole."""
    return {
        **harmless("connector", "egress", at=at_),
        **harmless("network", "subnetwork", "tags", at=f"{at_}.networkInterfaces"),
    }


def also(template: Path, elsewhere: Effect) -> Callable[[Step], Iterator[Told]]:
    """Return what tells the effects of an update that no property of a container shows by itself.

    Args:
        template: Where the containers are, as in `("template",)`.
        elsewhere: What it does that they use another database.
    """

    def told(step: Step) -> Iterator[Told]:
        listed = (_listed(each, template) for each in (step.old, step.new))
        values = ".".join((*map(str, template), "containers.envs.value"))
        has_secrets = any(pattern(parsed(each.path)) == values and _is_blinded(each) for each in step.changes)
        for index, (old, new) in enumerate(zip_longest(*listed)):
            where = dotted((*template, "containers", index))
            if not old:
                continue
            if not new:
                gone = less_safe("the container no longer runs", _CONTAINERS)
                yield Told(change=Change.of(where, old.get("image"), None), effect=gone)
                continue
            yield from _of_variables(where, old, new, elsewhere, has_secrets=has_secrets)
            for probe, what in _PROBES.items():
                if old.get(probe) and not new.get(probe):
                    change = Change.of(f"{where}.{probe}", old[probe], None)
                    yield Told(change=change, effect=less_safe(what, _HEALTH))
        yield from _of_idling(step, template)

    return told


def align(old: list[Any], new: list[Any]) -> list[Any]:
    """Return the container that continues each: the one of its name, ours, that of its image, or the next.

    A sidecar may be put before a container that has no name, which is the same container as before.
    """
    before, after = items(old), items(new)
    continued: dict[int, Mapping[str, Any]] = {}
    for alike in (_are_named_alike, _are_ours, _have_one_image, _may_be_one):
        for index, each in enumerate(before):
            if index not in continued and (found := next((x for x in after if alike(each, x)), None)):
                continued[index] = found
                after.remove(found)
    return [continued.get(index) for index in range(len(before))]


def variables(container: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environment variables of a container by name; those of secrets as what they refer to."""
    return {
        each.get("name", ""): each.get("value", each.get("valueSource"))
        for each in items(container.get("envs"))
    }


def items(listed: Any) -> list[Mapping[str, Any]]:
    """Return the blocks of a list; none of one that only the update can tell."""
    found = listed if isinstance(listed, list) else []
    return [each for each in found if isinstance(each, Mapping)]


def relays(step_inputs: Mapping[str, Any], template: Path = ("template",)) -> bool:
    """Tell whether a service of ours publishes: the relay is on where nothing is said."""
    names = [variables(each) for each in items(at(step_inputs, (*template, "containers")))]
    return any(_is_ours(each) and each.get(environment.RELAY) != "off" for each in names)


def _is_blinded(change: Change) -> bool:
    """Tell whether a value changes that the engine does not show, as it was and as it would be."""
    return change.old == change.new == json.dumps(BLINDED)


def _of_variables(
    where: str, old: Mapping[str, Any], new: Mapping[str, Any], elsewhere: Effect, *, has_secrets: bool
) -> Iterator[Told]:
    """Yield what variables do; of secrets, of which any may be the one that changes, all."""
    before, after = variables(old), variables(new)
    if not _is_ours(before) and not _is_ours(after):
        return  # another program's, of which nobody here can tell what it reads
    publishes = any(each.get(environment.RELAY) != "off" for each in (before, after))
    for name in sorted(before.keys() | after.keys()):
        values = before.get(name), after.get(name)
        if values == (BLINDED, BLINDED) and has_secrets:
            values = f"{BLINDED} as it is", f"{BLINDED} as it would be"
        if values[0] == values[1]:
            continue
        for effect in of_variable(name, *values, relays=publishes, elsewhere=elsewhere):
            if effect.severity > Severity.HARMLESS:
                shown = (_read(each) if name == environment.ROUTING else each for each in values)
                yield Told(change=Change.of(f"{where}.envs.{name}", *shown), effect=effect)


def _read(text: Any) -> Any:
    """Return what JSON says, of which a summary shows the parts that differ; a text that is none as it is."""
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        return text


def _of_idling(step: Step, template: Path) -> Iterator[Told]:
    """Tell of a service with the relay in it that gets no CPU without requests any more."""
    if not relays(step.new, template):
        return
    for index, each in enumerate(_listed(step.new, template)):
        path = (*template, "containers", index, "resources", "cpuIdle")
        old, new = at(step.old, path), at(step.new, path)
        if each and _is_ours(variables(each)) and new and not old:
            yield Told(change=Change.of(dotted(path), old, new), effect=_IDLE)


def _is_ours(names: Mapping[str, Any]) -> bool:
    return any(each.startswith("EVENT_STORE_") for each in names)


def _listed(inputs: Mapping[str, Any], template: Path) -> list[Mapping[str, Any] | None]:
    """Return the containers, each at its place; None for one that goes."""
    found = at(inputs, (*template, "containers"))
    return [each if isinstance(each, Mapping) else None for each in found] if isinstance(found, list) else []


def _are_named_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one.get("name")) and one.get("name") == other.get("name")


def _are_ours(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _is_ours(variables(one)) and _is_ours(variables(other)) and _may_be_one(one, other)


def _have_one_image(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    images = {_REPOSITORY.sub("", str(each.get("image"))) for each in (one, other)}
    return len(images) == 1 and _may_be_one(one, other)


def _may_be_one(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return not (one.get("name") and other.get("name"))


def _limits(old: Any, new: Any) -> Effect:
    """Less memory ends instances; less CPU is only slower."""
    before, after = (_bytes(each) for each in (old, new))
    return HARMLESS if before <= after else _LESS_MEMORY


def _bytes(limits: Any) -> float:
    """Return the memory of limits; nothing for what only the update can tell."""
    said = limits.get("memory", _MEMORY_UNSET) if isinstance(limits, Mapping) else limits or _MEMORY_UNSET
    found = re.fullmatch(r"(\d+)([KMGT]?)(i?)", str(said))
    factor = (1024 if found[3] else 1000) ** " KMGT".index(found[2] or " ") if found else 0
    return float(found[1]) * factor if found else 0
