"""Read the topics of `topology.yaml`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from event_store.topology.document import Value
from event_store.topology.routing import PARTITIONS, UNPUBLISHABLE, Ordering
from event_store.topology.schema import ENCODINGS

# Google's limits: https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics
NAME_CHARACTERS: Final = 255
RETENTION_SECONDS: Final = (600, 2_678_400)
_REGION: Final = (r"[a-z]+-[a-z]+\d+", "a region, as in europe-west1")
_KEY: Final = (
    r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+",
    "a key as projects/P/locations/L/keyRings/R/cryptoKeys/K",
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the bus.

    Attributes:
        name: The name, 3 to 255 characters.
        message_retention_seconds: How far back a subscription can seek, 600 to 2,678,400 seconds (31 days).
        ordering: The ordering of its messages.
        unpublishable: `park` or `block`, see `RoutedTopic`; `block` requires an ordering.
        labels: Labels in addition to the stack's.
        kms_key: The key that encrypts messages; empty for a key of Google's.
        earlier_kms_keys: The earlier keys of messages that are still retained.
        regions: The only regions that may store messages; empty for all regions.
        enforce_in_transit: Whether publishers and subscribers must be in these regions, too.
        schema: The name of a schema of the topology; empty for none.
        schema_encoding: `JSON` or `BINARY`; the service publishes JSON.
    """

    name: str
    message_retention_seconds: int = 604_800
    ordering: Ordering = field(default_factory=Ordering)
    unpublishable: str = "park"
    labels: Mapping[str, str] = field(default_factory=dict)
    kms_key: str = ""
    regions: tuple[str, ...] = ()
    enforce_in_transit: bool = False
    schema: str = ""
    schema_encoding: str = "JSON"
    earlier_kms_keys: tuple[str, ...] = ()

    @property
    def kms_keys(self) -> tuple[str, ...]:
        """All keys that may encrypt its retained messages, the current one first."""
        return (*((self.kms_key,) if self.kms_key else ()), *self.earlier_kms_keys)

    @classmethod
    def read(cls, value: Value, schemas: Collection[str] = ()) -> "Topic":
        """Read an entry of `topics`.

        Args:
            value: The entry.
            schemas: The names of the topology's schemas.

        Raises:
            TopologyError: The entry is invalid.
        """
        keys = value.mapping(
            ("name",),
            (
                *("messageRetentionDuration", "ordering", "unpublishable", "labels", "kmsKeyName"),
                *("earlierKmsKeyNames", "messageStoragePolicy", "schemaSettings"),
            ),
        )
        given: dict[str, Any] = {}
        if "messageRetentionDuration" in keys:
            retention = keys["messageRetentionDuration"]
            given["message_retention_seconds"] = retention.duration_seconds(*RETENTION_SECONDS)
        if "ordering" in keys:
            given["ordering"] = _ordering(keys["ordering"])
        if "unpublishable" in keys:
            given["unpublishable"] = _unpublishable(keys["unpublishable"], given.get("ordering", Ordering()))
        if "labels" in keys:
            given["labels"] = keys["labels"].labels()
        if "kmsKeyName" in keys:
            given["kms_key"] = keys["kmsKeyName"].matching(*_KEY)
        if "earlierKmsKeyNames" in keys:
            given["earlier_kms_keys"] = _earlier(keys["earlierKmsKeyNames"], given.get("kms_key", ""))
        if "messageStoragePolicy" in keys:
            given |= _storage(keys["messageStoragePolicy"])
        if "schemaSettings" in keys:
            given |= _schema(keys["schemaSettings"], schemas)
        return cls(name=keys["name"].resource_name(NAME_CHARACTERS), **given)


def _earlier(value: Value, present: str) -> tuple[str, ...]:
    earlier: list[str] = []
    for each in value.items():
        key = each.matching(*_KEY)
        if key == present:
            raise each.error("is the topic's kmsKeyName", "list only earlier keys")
        if key in earlier:
            raise each.error(f"is {key} again", "list each key once")
        earlier.append(key)
    return tuple(earlier)


def _storage(value: Value) -> dict[str, Any]:
    keys = value.mapping(("allowedPersistenceRegions",), ("enforceInTransit",))
    regions = tuple(each.matching(*_REGION) for each in keys["allowedPersistenceRegions"].items())
    if not regions:
        raise keys["allowedPersistenceRegions"].error("is empty", "list a region, or remove the policy")
    enforce = keys["enforceInTransit"].boolean() if "enforceInTransit" in keys else False
    return {"regions": regions, "enforce_in_transit": enforce}


def _schema(value: Value, schemas: Collection[str]) -> dict[str, Any]:
    keys = value.mapping(("schema",), ("encoding",))
    encoding = keys["encoding"].choice(ENCODINGS) if "encoding" in keys else "JSON"
    return {"schema": keys["schema"].choice(schemas), "schema_encoding": encoding}


def _ordering(value: Value) -> Ordering:
    if value.is_mapping():
        partitions = value.mapping(("partitions",), ())["partitions"]
        return Ordering("partitions", partitions.integer(*PARTITIONS))
    return Ordering(value.choice(("aggregate", "none"), "or `{partitions: N}`"))


def _unpublishable(value: Value, ordering: Ordering) -> str:
    policy = value.choice(UNPUBLISHABLE)
    if policy == "block" and ordering.kind == "none":
        raise value.error(
            "is 'block', but the topic keeps no order, so there is no key to block",
            "write park, or give the topic an ordering",
        )
    return policy
