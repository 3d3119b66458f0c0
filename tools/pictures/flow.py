"""Draw the data flow: from an append to the consumers of the event, topic by topic."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tools.pictures.drawing import DATABASE, PERSON, QUEUE, Drawing
from tools.pictures.resource import Resource

_PUBLISHER: Final = "roles/pubsub.publisher"
# The bus itself grants that role only for dead letters.
_BUS: Final = "bus"
_RUNS: Final = ("gcp:cloudrunv2/service:Service", "gcp:cloudrunv2/workerPool:WorkerPool")
_APPENDS: Final = "Command Service"
# For each delivery setting of a subscription: the input that names the receiver, and the arrow's label.
_WAYS_OUT: Final[Mapping[str, tuple[str, str]]] = {
    "pushConfig": ("pushEndpoint", "pushed, OIDC"),
    "bigqueryConfig": ("table", "rows"),
    "cloudStorageConfig": ("bucket", "objects"),
}


def flow(plan: Sequence[Resource]) -> Drawing:
    """Draw the data flow through the resources of a plan."""
    made = {each.name: each for each in plan}
    drawing = Drawing("LR")
    log, service = (
        drawing.node("log", "PostgreSQL", "the log", shape=DATABASE),
        drawing.node("event-store"),
    )
    drawing.arrow(drawing.node(_APPENDS, shape=PERSON), service, "AppendEvents", "gRPC")
    drawing.arrow(service, log, "append")
    published = _published(plan)
    (publisher,) = {each.component for each in published}
    (runs,) = (each.kind for each in plan if each.component == publisher and each.type in _RUNS)
    relay = drawing.node("relay", "relay", f"in the {runs}")
    drawing.arrow(log, relay, "the log, in order")
    for grant in published:
        drawing.arrow(relay, _topic(drawing, made[grant.origins["topic"][0]]), "publish")
    subscriptions = [each for each in plan if each.type == "gcp:pubsub/subscription:Subscription"]
    kept = {each.origins["topic"][0]: each for each in subscriptions}
    for each in subscriptions:
        if "deadLetterPolicy" in each.inputs:
            node = drawing.node(each.name, *_subscribed(each.inputs))
            (topic,), (letters,) = each.origins["topic"], each.origins["deadLetterPolicy"]
            drawing.arrow(_topic(drawing, made[topic]), node)
            drawing.arrow(node, *_receiver(drawing, each.inputs))
            attempts = each.inputs["deadLetterPolicy"]["maxDeliveryAttempts"]
            dead = _topic(drawing, made[letters])
            drawing.arrow(node, dead, f"after {attempts} attempts", dotted=True)
            drawing.arrow(
                dead, drawing.node(kept[letters].name, kept[letters].inputs["name"], "kept for people")
            )
    return drawing


def _topic(drawing: Drawing, topic: Resource) -> str:
    return drawing.node(topic.name, topic.inputs["name"], shape=QUEUE)


def _subscribed(inputs: Mapping[str, Any]) -> list[str]:
    words = [str(inputs["name"])]
    words += ["in order"] * bool(inputs.get("enableMessageOrdering"))
    words += ["exactly once"] * bool(inputs.get("enableExactlyOnceDelivery"))
    words += [inputs["filter"]] if inputs.get("filter") else []
    return words


def _receiver(drawing: Drawing, inputs: Mapping[str, Any]) -> tuple[str, str]:
    """Return the node that receives from a subscription, and the method of delivery."""
    for word, (where, how) in _WAYS_OUT.items():
        if word in inputs:
            return drawing.node(f"{word} {inputs[word][where]}", inputs[word][where]), how
    return drawing.node("Projection Service", shape=PERSON), "pulls"


def _published(plan: Sequence[Resource]) -> list[Resource]:
    """Return the grants by which events are published."""
    return [each for each in plan if each.inputs.get("role") == _PUBLISHER and each.component != _BUS]
