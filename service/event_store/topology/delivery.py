"""Read the push and export settings of a subscription: HTTP push, BigQuery or Cloud Storage."""

from dataclasses import dataclass
from typing import Any, Final

from event_store.topology.document import Value

# Google's limits: https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions
_HTTPS: Final = (r"https://\S+", "an https address")
_SERVICE: Final = (r"[a-z]([a-z0-9-]{0,47}[a-z0-9])?", "the name of a Cloud Run service")
_TABLE: Final = (
    r"[a-z][a-z0-9-]{4,28}[a-z0-9]\.[A-Za-z0-9_]+\.[A-Za-z0-9_-]+",
    "a table as project.dataset.table",
)
_BUCKET: Final = (r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", "the name of a bucket")
_PREFIX: Final = (r"[^\r\n]{1,256}", "1 to 256 characters of one line")
_SUFFIX: Final = (r"[^\r\n]{0,255}[^\r\n/]", "1 to 256 characters of one line, not ending with /")
_EXPORT_SECONDS: Final = (60, 600)
_EXPORT_BYTES: Final = (1_000, 10_737_418_240)
_EXPORT_MESSAGES: Final = (1_000, 9_223_372_036_854_775)
AVRO, TEXT = "avro", "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Deliver messages by HTTP POST, with an OpenID token of the bus's push identity.

    Attributes:
        endpoint: The https URL to post to.
        audience: The audience of the token; empty for the endpoint.
        service: A Cloud Run service of the same project and region, which the push identity is allowed to
            call; empty if the endpoint's owner grants that.
    """

    endpoint: str
    audience: str = ""
    service: str = ""

    @classmethod
    def read(cls, value: Value) -> "Push":
        """Read a `pushConfig`.

        Raises:
            TopologyError: The configuration is invalid.
        """
        keys = value.mapping(("pushEndpoint",), ("audience", "service"))
        return cls(
            endpoint=keys["pushEndpoint"].matching(*_HTTPS),
            audience=keys["audience"].text() if "audience" in keys else "",
            service=keys["service"].matching(*_SERVICE) if "service" in keys else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BigQueryExport:
    """Write messages to rows of an existing BigQuery table.

    Attributes:
        table: The table, `project.dataset.table`.
        use_topic_schema: Whether the topic's schema defines the columns.
        use_table_schema: Whether the table's columns define the fields; excludes `use_topic_schema`.
        write_metadata: Whether to write the message's id, time and attributes, too.
        drop_unknown_fields: Whether to drop fields without a column; otherwise such a message is rejected.
    """

    table: str
    use_topic_schema: bool = False
    use_table_schema: bool = False
    write_metadata: bool = True
    drop_unknown_fields: bool = False

    @classmethod
    def read(cls, value: Value) -> "BigQueryExport":
        """Read a `bigqueryConfig`.

        Raises:
            TopologyError: The configuration is invalid.
        """
        names = {
            "useTopicSchema": "use_topic_schema",
            "useTableSchema": "use_table_schema",
            "writeMetadata": "write_metadata",
            "dropUnknownFields": "drop_unknown_fields",
        }
        keys = value.mapping(("table",), tuple(names))
        given: dict[str, Any] = {names[key]: each.boolean() for key, each in keys.items() if key in names}
        export = cls(table=keys["table"].matching(*_TABLE), **given)
        if export.use_topic_schema and export.use_table_schema:
            raise value.error("has both useTopicSchema and useTableSchema", "remove one of them")
        if export.drop_unknown_fields and not (export.use_topic_schema or export.use_table_schema):
            raise value.error(
                "has dropUnknownFields without a schema", "add useTopicSchema or useTableSchema, or remove it"
            )
        return export


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudStorageExport:
    """Write messages to objects of an existing Cloud Storage bucket.

    Attributes:
        bucket: The name of the bucket.
        filename_prefix: The prefix of the objects' names; empty for none.
        filename_suffix: The suffix of the objects' names; empty for none.
        maximum_seconds: The time after which an object is closed, 60 to 600 seconds and not above the
            acknowledgement deadline.
        maximum_bytes: The size at which an object is closed, 1 KB to 10 GiB; None for no limit.
        maximum_messages: The number of messages at which an object is closed, at least 1,000; None for no
            limit.
        form: `avro` for data and attributes, or `text` for the data only, one line per message.
    """

    bucket: str
    filename_prefix: str = ""
    filename_suffix: str = ""
    maximum_seconds: int = 300
    maximum_bytes: int | None = None
    maximum_messages: int | None = None
    form: str = AVRO

    @classmethod
    def read(cls, value: Value) -> "CloudStorageExport":
        """Read a `cloudStorageConfig`.

        Raises:
            TopologyError: The configuration is invalid.
        """
        keys = value.mapping(
            ("bucket",),
            ("filenamePrefix", "filenameSuffix", "maxDuration", "maxBytes", "maxMessages", "format"),
        )
        given: dict[str, Any] = {}
        if "filenamePrefix" in keys:
            given["filename_prefix"] = keys["filenamePrefix"].matching(*_PREFIX)
        if "filenameSuffix" in keys:
            given["filename_suffix"] = keys["filenameSuffix"].matching(*_SUFFIX)
        if "maxDuration" in keys:
            given["maximum_seconds"] = keys["maxDuration"].duration_seconds(*_EXPORT_SECONDS)
        if "maxBytes" in keys:
            given["maximum_bytes"] = keys["maxBytes"].integer(*_EXPORT_BYTES)
        if "maxMessages" in keys:
            given["maximum_messages"] = keys["maxMessages"].integer(*_EXPORT_MESSAGES)
        if "format" in keys:
            given["form"] = keys["format"].choice((AVRO, TEXT))
        return cls(bucket=keys["bucket"].matching(*_BUCKET), **given)


Delivery = Push | BigQueryExport | CloudStorageExport
_KINDS: Final[dict[str, type[Push] | type[BigQueryExport] | type[CloudStorageExport]]] = {
    "pushConfig": Push,
    "bigqueryConfig": BigQueryExport,
    "cloudStorageConfig": CloudStorageExport,
}
DELIVERY_KEYS: Final = tuple(_KINDS)


def read_delivery(keys: dict[str, Value]) -> Delivery | None:
    """Read the push or export settings among a subscription's keys; None for pull.

    Raises:
        TopologyError: The settings are invalid, or there is more than one.
    """
    given = [key for key in DELIVERY_KEYS if key in keys]
    if len(given) > 1:
        raise keys[given[1]].error(
            f"excludes {given[0]}", "remove one: a subscription has one way of delivery"
        )
    return _KINDS[given[0]].read(keys[given[0]]) if given else None
