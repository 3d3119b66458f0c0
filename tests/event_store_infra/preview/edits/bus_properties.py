"""Edits of what topics, subscriptions and schemas are set to."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.bases import DEAD_LETTERS, INVOKER, RICH
from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_READER: Final = "subscriptions.progress-reader"
_PROJECTION: Final = "subscriptions.vocabulary-projection"
_MAILER: Final = "subscriptions.mailer.pushConfig"
_STOPS: Final = "loses no data, but stops "
_LESS_SAFE: Final = "loses no data, but 1 change is less safe"
_DROPPED: Final = """"labels": {**labels, **subscription.labels},
        "message_transforms": [
            {"javascript_udf": {"function_name": "f", "code": "function f(message) { return null; }"}}
        ],"""
_DEAD_LETTERS_NEVER: Final = """            expiration_policy=NEVER,
            labels=labels,"""


def _edit(name: str, topology: dict[str, Any] | None = None, **what: Any) -> Edit:
    return Edit(name=name, topology=topology or {}, **{"base": "prod-unprotected", **what})


def _patched(name: str, file: str, old: str, new: str, **what: Any) -> Edit:
    return _edit(name, program=(Patch(f"components/bus/{file}", old, new),), **what)


EDITS: Final = (
    _patched(
        "drop-messages-by-a-transform",
        *("subscription.py", '"labels": {**labels, **subscription.labels},', _DROPPED),
        headline="refused, 6 changes would lose data",
        refused={
            ("update messageTransforms", f"bus-{each}-subscription")
            for each in (
                *("vocabulary-projection", "second", "second-g2", "mailer", "progress-reader"),
                "keyed-reader",
            )
        },
        says=("what the transform drops",),
    ),
    _patched(
        "let-dead-letters-expire-by-leaving-it-out",
        *("topics.py", _DEAD_LETTERS_NEVER, "            labels=labels,"),
        headline="refused, 5 changes would lose data",
        refused={("update expirationPolicy.ttl", f"bus-{each}-subscription") for each in DEAD_LETTERS},
        says=("nobody has pulled",),
    ),
    _patched(
        "send-dead-letters-back-to-the-topic",
        *("event_bus.py", "dead_letter_topic=dead_letters.id", "dead_letter_topic=topic.id"),
        headline=f"{_STOPS}whoever handles the dead letters",
    ),
    _edit(
        "push-to-another-endpoint",
        {f"{_MAILER}.pushEndpoint": "https://other-abc.a.run.app/events"},
        headline=f"{_STOPS}the endpoint of the requests `https://mailer-abc.a.run.app/events`",
    ),
    _edit(
        "push-with-tokens-for-another-audience",
        {f"{_MAILER}.audience": "https://other-abc.a.run.app"},
        headline=f"{_STOPS}the requests, until the endpoint's owner accepts",
    ),
    _patched(
        "push-without-a-token",
        *(
            "subscription.py",
            "push_endpoint=delivery.endpoint, oidc_token=token",
            "push_endpoint=delivery.endpoint",
        ),
        headline=f"{_STOPS}the requests, which an endpoint refuses",
    ),
    _edit(
        "name-another-service-of-an-endpoint",
        {f"{_MAILER}.service": "postman"},
        headline=f"{_STOPS}",
        says=("roles/run.invoker", "`mailer`"),
    ),
    _patched(
        "take-the-maker-of-push-tokens-its-right",
        *("push.py", "self.grants.append(self._agent.may_sign_as(self.account))", "pass"),
        headline=f"{_STOPS}",
        says=("roles/iam.serviceAccountTokenCreator",),
    ),
    _edit(
        "refuse-requests-from-other-regions",
        {"topics.progress-events.messageStoragePolicy.enforceInTransit": True},
        headline=f"{_STOPS}publishers and consumers in regions that the topic does not allow",
    ),
    _edit(
        "keep-a-topic-in-another-region",
        {"topics.progress-events.messageStoragePolicy.allowedPersistenceRegions": ["europe-west3"]},
        headline="loses no data, but 2 changes are less safe",
        says=("may be stored elsewhere",),
    ),
    _edit(
        "hold-a-topic-to-a-schema",
        {
            "topics.vocabulary-projection-subscription.ordering": "none",
            "topics.vocabulary-projection-subscription.schemaSettings": {
                "schema": "measured",
                "encoding": "JSON",
            },
        },
        headline=f"{_STOPS}the publishing of messages that do not match the schema",
    ),
    _edit(
        "encode-a-topic-s-messages-otherwise",
        {"topics.metrics-events.schemaSettings.encoding": "BINARY"},
        headline=f"{_STOPS}the publishing of messages in the former encoding",
    ),
    _edit(
        "retry-without-a-pause",
        {f"{_PROJECTION}.retryPolicy.minimumBackoff": "0s"},
        headline=_LESS_SAFE,
        says=("fewer failures last",),
    ),
    _edit(
        "shorten-an-ack-deadline",
        {f"{_PROJECTION}.ackDeadlineSeconds": 10},
        headline="loses no data, but 2 changes are less safe",
        says=("a message comes again",),
    ),
    _edit(
        "let-another-consumer-in",
        {f"{_PROJECTION}.consumers": [INVOKER]},
        headline=f"{_STOPS}`serviceAccount:projection@words",
        says=("roles/pubsub.subscriber",),
    ),
    _edit(
        "let-everybody-consume",
        {f"{_READER}.consumers": ["allUsers"]},
        headline="the preview failed",
    ),
    _edit(
        "narrow-a-route",
        {"routes.1.eventType": "Done*"},
        headline=f"{_STOPS}the consumers of `progress-events` from all events of `Progress`",
        says=("whoever appends",),
    ),
    _edit(
        "route-to-another-topic",
        {"routes.1.topics": ["vocabulary-events"]},
        headline=f"{_STOPS}the consumers of `progress-events`",
    ),
    _edit(
        "store-what-no-route-takes",
        {"unrouted": "store-only"},
        headline=_LESS_SAFE,
        says=("nobody ever gets it",),
    ),
    _edit(
        "leave-a-topic-s-retention-to-the-default",
        {"topics.progress-events.messageRetentionDuration": None},
        headline="refused, 1 change would lose data",
        refused={("update messageRetentionDuration", "bus-progress-events")},
    ),
    _edit(
        "retain-a-topic-s-messages-longer",
        {"topics.vocabulary-events.messageRetentionDuration": "31d"},
        **HARMLESS,
    ),
    _edit("retain-acknowledged-messages", {f"{_READER}.retainAckedMessages": True}, **HARMLESS),
    _edit(
        "swap-the-names-of-two-topics",
        {
            "topics.progress-events.name": "swapped",
            "topics.keyed-events.name": "progress-events",
            "topics.swapped.name": "keyed-events",
        },
        headline="refused, ",
        refused={("update messageRetentionDuration", "bus-progress-events")},
        says=("stays encrypted with the former key",),
    ),
    _edit(
        "add-a-topic-with-a-consumer-and-a-route",
        {
            "topics.added-events": {"messageRetentionDuration": "7d"},
            "subscriptions.adder": {"topic": "added-events"},
            "routes": [*RICH["routes"], {"aggregateType": "Added", "topics": ["added-events"]}],
        },
        **HARMLESS,
    ),
)
