"""The stacks that edits are made of: each is one of this repository's, with what its edits need."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import Base

IMAGE: Final = f"europe-west1-docker.pkg.dev/event-store-dev/event-store/event-store@sha256:{'a' * 64}"
KEYS: Final = "projects/security/locations/europe-west1/keyRings/events/cryptoKeys"
INVOKER: Final = "serviceAccount:words@event-store-prod.iam.gserviceaccount.com"
CONSUMER: Final = "serviceAccount:projection@words.iam.gserviceaccount.com"
SERVER_CA: Final = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
MEASURED: Final = (
    '{"type": "record", "name": "Measured", "fields": ['
    + ", ".join(
        f'{{"name": "{name}", "type": "{kind}"}}'
        for name, kind in {
            **dict.fromkeys(("event_id", "aggregate_id", "aggregate_type", "event_type"), "string"),
            "event_version": "int",
            **dict.fromkeys(("occurred_at", "created_at"), "string"),
            "global_position": "long",
        }.items()
    )
    + ', {"name": "event_data", "type": {"type": "record", "name": "Measurement", "fields": ['
    '{"name": "value", "type": "double"}]}}, '
    '{"name": "metadata", "type": {"type": "map", "values": "string"}}]}'
)
# Topics with a key, a schema, regions and each ordering; consumers that pull, are pushed to and stand in two
# generations.
RICH: Final[dict[str, Any]] = {
    "schemas": [{"name": "measured", "type": "AVRO", "definition": MEASURED}],
    "topics": [
        {"name": "vocabulary-events", "messageRetentionDuration": "7d"},
        {
            "name": "progress-events",
            "messageRetentionDuration": "31d",
            "messageStoragePolicy": {"allowedPersistenceRegions": ["europe-west1", "europe-west4"]},
        },
        {"name": "keyed-events", "messageRetentionDuration": "7d", "kmsKeyName": f"{KEYS}/topics"},
        {
            "name": "vocabulary-projection-subscription"
        },  # which a subscription has as its name in the program, too
        {
            "name": "metrics-events",
            "ordering": "none",
            "schemaSettings": {"schema": "measured", "encoding": "JSON"},
        },
    ],
    "subscriptions": [
        {
            "name": "vocabulary-projection",
            "topic": "vocabulary-events",
            "ackDeadlineSeconds": 60,
            "messageRetentionDuration": "31d",
            "retainAckedMessages": True,
            "enableExactlyOnceDelivery": True,
            "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
            "deadLetterPolicy": {"maxDeliveryAttempts": 50},
            "consumers": [CONSUMER],
        },
        {
            "name": "second",
            "topic": "vocabulary-events",
            "eventTypes": ["WordAdded"],
            "generation": 2,
            "keptGenerations": [1],
        },
        {
            "name": "mailer",
            "topic": "vocabulary-events",
            "pushConfig": {
                "pushEndpoint": "https://mailer-abc.a.run.app/events",
                "audience": "https://mailer-abc.a.run.app",
                "service": "mailer",
            },
        },
        {"name": "progress-reader", "topic": "progress-events", "messageRetentionDuration": "14d"},
        {"name": "keyed-reader", "topic": "keyed-events"},
    ],
    "routes": [
        {"aggregateType": "Vocabulary", "topics": ["vocabulary-events"]},
        {"aggregateType": "Progress", "topics": ["progress-events"]},
        {"aggregateType": "Secret", "topics": ["keyed-events"]},
        {"eventType": "Measured*", "topics": ["metrics-events"]},
    ],
    "unrouted": "refuse",
}
# What its resources are called in the program, after `bus-`.
TOPICS: Final = (
    *("vocabulary-events", "progress-events", "keyed-events", "metrics-events"),
    "vocabulary-projection-subscription",
)
_READERS: Final = ("vocabulary-projection", "second", "mailer", "progress-reader", "keyed-reader")
DEAD_LETTERS: Final = tuple(f"{each}-dead-letter" for each in _READERS)
SUBSCRIPTIONS: Final = (*_READERS, "second-g2", *DEAD_LETTERS)

PLAIN: Final[dict[str, Any]] = {
    "topics": [
        {"name": "vocabulary-events", "messageRetentionDuration": "7d"},
        {"name": "progress-events", "messageRetentionDuration": "30d"},
    ],
    "subscriptions": [
        {
            "name": "vocabulary-projection",
            "topic": "vocabulary-events",
            "ackDeadlineSeconds": 60,
            "deadLetterPolicy": {"maxDeliveryAttempts": 5},
        }
    ],
    "routes": [
        {"aggregateType": "Vocabulary", "topics": ["vocabulary-events"]},
        {"aggregateType": "Progress", "topics": ["progress-events"]},
    ],
    "unrouted": "refuse",
}
_WHOLE: Final[dict[str, Any]] = {
    "service.invokers": [INVOKER],
    "monitoring.emails": ["oncall@example.com"],
}
_PROD: Final = {**_WHOLE, "database.read_replica": True}
_ALLOYDB: Final = {
    **_WHOLE,
    "database.engine": "alloydb",
    "database.kms_key": f"{KEYS}/log",
    "alloydb.server_ca": SERVER_CA,
    "alloydb.read_nodes": 2,
}
_KEYED: Final = {
    **_WHOLE,
    "protected": False,
    "service.relay": "worker-pool",
    "database.kms_key": f"{KEYS}/log",
    "database.version": "POSTGRES_17",
}
_RESTORED: Final = {
    "database.generation": 2,
    "database.kept_generations": [1],
    "database.restore_from": {"instance": "event-store-1", "time": "2026-01-31T08:00:00Z"},
}

PROD: Final = Base(name="prod", stack="prod", config=_PROD, topology=RICH)
UNPROTECTED: Final = Base(
    name="prod-unprotected", stack="prod", config={**_PROD, "protected": False}, topology=RICH
)
ALLOYDB: Final = Base(
    name="alloydb",
    stack="prod",
    config=_ALLOYDB,
    topology=PLAIN,
    made=({**_ALLOYDB, "alloydb.server_ca": ""},),
)
ALLOYDB_UNPROTECTED: Final = Base(
    name="alloydb-unprotected",
    stack="prod",
    config={**_ALLOYDB, "protected": False},
    topology=PLAIN,
    made=({**_ALLOYDB, "protected": False, "alloydb.server_ca": ""},),
)
STAGING: Final = Base(name="staging", stack="staging", config=_KEYED, topology=PLAIN)
RESTORED: Final = Base(
    name="restored",
    stack="staging",
    config={**_KEYED, **_RESTORED},
    topology=PLAIN,
    made=(_KEYED,),
)
ENDPOINT: Final = Base(
    name="endpoint",
    stack="staging",
    config={**_WHOLE, "database.private_service_connect": True},
    topology=PLAIN,
)
DEV: Final = Base(name="dev", stack="dev", topology=PLAIN)
JOINED: Final = Base(
    name="joined",
    stack="dev",
    config={
        "protected": True,
        "database.instance": "theirs",
        "network": {
            "vpc": "projects/host-project/global/networks/shared",
            "subnetwork": "projects/host-project/regions/europe-west1/subnetworks/run",
        },
    },
    topology=PLAIN,
)
BASES: Final = {
    each.name: each
    for each in (
        *(PROD, UNPROTECTED, ALLOYDB, ALLOYDB_UNPROTECTED, STAGING, RESTORED, ENDPOINT, DEV, JOINED),
    )
}
