"""The containers of Cloud Run: their variables by name, their probes, and what runs at all."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from event_store import environment
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Rule, Severity, Told, less_safe, stops
from event_store_infra.preview.effects.rules import begins, changes, harmless, same
from event_store_infra.preview.effects.workload.variables import of_variable
from event_store_infra.preview.plan.paths import Path, at, dotted
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from event_store_infra.preview.plan.plan import Change, Step

_PROBES: Final[Mapping[str, str]] = {
    "startupProbe": "requests are sent to an instance before it can answer",
    "readinessProbe": "requests are still sent to an instance that cannot answer",
    "livenessProbe": "an instance that hangs is no longer restarted",
}
_HEALTH: Final = "https://docs.cloud.google.com/run/docs/configuring/healthchecks"
_CONTAINERS: Final = "https://docs.cloud.google.com/run/docs/deploying#sidecars"
_MEMORY: Final = "https://docs.cloud.google.com/run/docs/configuring/services/memory-limits"
_MINIMUM: Final = "https://docs.cloud.google.com/run/docs/configuring/min-instances"
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
_UNASKED: Final = stops(
    "publishing while nobody calls: without an instance no relay runs",
    _MINIMUM,
    "leave one instance at least.",
)


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
    """Return the rules of a probe's properties: only to lose it as a whole is less safe, see `also`."""
    return {
        **harmless("failureThreshold", "periodSeconds", "timeoutSeconds", "grpc.port", at=at_),
        **harmless("grpc.service", "httpGet.path", "httpGet.port", at=at_),
        **(harmless("httpGet.httpHeaders.name", "httpGet.httpHeaders.value", at=at_) if has_headers else {}),
        **(harmless("initialDelaySeconds", "tcpSocket.port", at=at_) if has_delay else {}),
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


def also(template: Path) -> Callable[[Step], Iterator[Told]]:
    """Return what tells the effects of an update that no property of a container shows by itself.

    Args:
        template: Where the containers are, as in `("template",)`.
    """

    def told(step: Step) -> Iterator[Told]:
        pairs = _pairs(at(step.old, template), at(step.new, template))
        for index, (old, new) in enumerate(pairs):
            where = dotted((*template, "containers", index))
            if not new:
                gone = less_safe("the container no longer runs", _CONTAINERS)
                yield Told(change=Change.of(where, old.get("image"), None), effect=gone)
                continue
            yield from _of_variables(where, old, new)
            for probe, what in _PROBES.items():
                if old.get(probe) and not new.get(probe):
                    change = Change.of(f"{where}.{probe}", old[probe], None)
                    yield Told(change=change, effect=less_safe(what, _HEALTH))
        yield from _of_idling(step, template)

    return told


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


def _of_variables(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Told]:
    before, after = variables(old), variables(new)
    if not _is_ours(before) and not _is_ours(after):
        return  # another program's, of which nobody here can tell what it reads
    publishes = any(each.get(environment.RELAY) != "off" for each in (before, after))
    for name in sorted(before.keys() | after.keys()):
        values = before.get(name), after.get(name)
        if values[0] == values[1]:
            continue
        for effect in of_variable(name, *values, relays=publishes):
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
    """Tell of a service with the relay in it that need not run any more."""
    if not relays(step.new, template):
        return
    ours = [
        index
        for index, each in enumerate(items(at(step.new, (*template, "containers"))))
        if _is_ours(variables(each))
    ]
    idling: list[tuple[Path, Effect, Callable[[Any], bool]]] = [
        ((*template, "scaling", "minInstanceCount"), _UNASKED, lambda value: not value or value == LATER),
        *(((*template, "containers", each, "resources", "cpuIdle"), _IDLE, bool) for each in ours),
    ]
    for path, effect, is_idle in idling:
        old, new = at(step.old, path), at(step.new, path)
        if is_idle(new) and not is_idle(old):
            yield Told(change=Change.of(dotted(path), old, new), effect=effect)


def _is_ours(names: Mapping[str, Any]) -> bool:
    return any(each.startswith("EVENT_STORE_") for each in names)


def _pairs(old: Any, new: Any) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each container that stands with what it would be: the one of its name, or else of its place."""
    listed = [items(at(each, ("containers",))) for each in (old, new)]
    by_name = {each.get("name"): each for each in listed[1] if each.get("name")}
    for index, each in enumerate(listed[0]):
        same_place = listed[1][index] if index < len(listed[1]) else {}
        is_another = each.get("name") and same_place.get("name")
        yield each, by_name.get(each.get("name"), {} if is_another else same_place)


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
