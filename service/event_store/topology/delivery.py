"""How a subscription delivers, other than to those who pull: by push, or into BigQuery or Cloud Storage."""

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
_SUFFIX: Final = (r"[^\r\n]{0,255}[^\r\n/]", "1 to 256 characters of one line, the last one no /")
_EXPORT_SECONDS: Final = (60, 600)
_EXPORT_BYTES: Final = (1_000, 10_737_418_240)
_EXPORT_MESSAGES: Final = (1_000, 9_223_372_036_854_775)
AVRO, TEXT = "avro", "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Delivery by POST requests that carry an OpenID token of the bus's own push identity.

    Attributes:
        endpoint: An https address.
        audience: What the token is for; empty for the endpoint.
        service: A Cloud Run service of the same project and region that the push identity may call; empty
            where the endpoint's owner grants that.
    """

    endpoint: str
    audience: str = ""
    service: str = ""

    @classmethod
    def read(cls, value: Value) -> "Push":
        """Read a `pushConfig`.

        Raises:
            TopologyError: It is wrong.
        """
        keys = value.mapping(("pushEndpoint",), ("audience", "service"))
        return cls(
            endpoint=keys["pushEndpoint"].matching(*_HTTPS),
            audience=keys["audience"].text() if "audience" in keys else "",
            service=keys["service"].matching(*_SERVICE) if "service" in keys else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BigQueryExport:
    """Delivery into rows of a table that exists: an archive without an end, to be asked in SQL.

    Attributes:
        table: `project.dataset.table`.
        use_topic_schema: Whether the topic's schema says which columns there are.
        use_table_schema: Whether the table's own columns say it; not both.
        write_metadata: Whether id, time and attributes are written too.
        drop_unknown_fields: Whether fields without a column are left out, rather than the message refused.
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
            TopologyError: It is wrong.
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
    """Delivery into objects of a bucket that exists: an archive without an end.

    Attributes:
        bucket: Its name.
        filename_prefix: What the objects' names begin with.
        filename_suffix: What they end with.
        maximum_seconds: After how long an object is closed, 60 to 600 and not above the ack deadline.
        maximum_bytes: With how many bytes it is closed, 1 KB to 10 GiB; None for no such limit.
        maximum_messages: With how many messages it is closed, 1,000 at least; None for no such limit.
        form: `avro` with all that a message has, or `text` with its data alone, a line each.
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
            TopologyError: It is wrong.
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
    """Return how a subscription of these keys delivers; None to those who pull.

    Raises:
        TopologyError: It is wrong, or there is more than one.
    """
    given = [key for key in DELIVERY_KEYS if key in keys]
    if len(given) > 1:
        raise keys[given[1]].error(
            f"is given beside {given[0]}", "remove one: a subscription delivers one way"
        )
    return _KINDS[given[0]].read(keys[given[0]]) if given else None
