"""Check and complete the BigQuery and Cloud Storage exports of a Subscription message.

Sources of the limits: the comments of google/pubsub/v1/pubsub.proto,
cloud.google.com/storage/docs/buckets#naming and
cloud.google.com/pubsub/docs/create-cloudstorage-subscription#file_names.
"""

import math
import re
from datetime import datetime
from typing import Any, Final

from pubsub_emulator.broker.limits import check_range, seconds_of
from pubsub_emulator.errors import InvalidArgumentError, UnimplementedError
from pubsub_emulator.extras import check_installed

EXPORTS: Final = ("bigquery_config", "cloud_storage_config", "bigtable_config")
ACTIVE: Final = 1  # BigQueryConfig.State and CloudStorageConfig.State
OBJECT_SECONDS: Final = (60, 600)
OBJECT_DEFAULT_SECONDS: Final = 300
OBJECT_BYTES: Final = (1_000, 10_737_418_240)
OBJECT_MESSAGES: Final = (1_000, 2**63 - 1)

_TABLE = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]*[.:]\w{1,1024}\.[\w -]{1,1024}")
_BUCKET = re.compile(
    r"(?!goog)(?!.*google)(?=.{3,222}$)[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9][a-z0-9_-]{0,62})*"
)
_TIMES: Final = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}
_PARTS = re.compile("|".join(_TIMES))
_BETWEEN = re.compile(r"[-_:/.TZ ]*")


def check_exports(config: Any) -> None:
    """Check the exports of a Subscription message, and fill in Google's defaults.

    Raises:
        InvalidArgumentError: A field is out of range, or two fields exclude each other.
        UnimplementedError: The message requests an export that is not emulated.
    """
    if config.HasField("bigquery_config"):
        _check_table(config.bigquery_config)
    if config.HasField("cloud_storage_config"):
        _check_objects(config, config.cloud_storage_config)


def _check_table(export: Any) -> None:
    export.state = ACTIVE
    if not _TABLE.fullmatch(export.table):
        raise InvalidArgumentError(f"Invalid table {export.table!r}: it must be project.dataset.table.")
    if export.use_topic_schema and export.use_table_schema:
        raise InvalidArgumentError("Only one of use_topic_schema and use_table_schema may be set.")


def _check_objects(config: Any, export: Any) -> None:
    export.state = ACTIVE
    if not _BUCKET.fullmatch(export.bucket):
        raise InvalidArgumentError(f"Invalid bucket {export.bucket!r}: it must be a bucket's plain name.")
    if export.filename_suffix.endswith("/"):
        raise InvalidArgumentError(
            f"Invalid filename_suffix {export.filename_suffix!r}: it must not end in /."
        )
    if export.filename_datetime_format:
        _check_time_format(export.filename_datetime_format)
    if not export.HasField("max_duration"):
        export.max_duration.seconds = OBJECT_DEFAULT_SECONDS
    seconds = seconds_of("cloud_storage_config.max_duration", export.max_duration)
    check_range("cloud_storage_config.max_duration", seconds, OBJECT_SECONDS)
    # The default of 10 s would be shorter than any object's duration.
    config.ack_deadline_seconds = config.ack_deadline_seconds or math.ceil(seconds)
    if seconds > config.ack_deadline_seconds:
        raise InvalidArgumentError(
            f"cloud_storage_config.max_duration ({seconds:g} s) must not exceed ack_deadline_seconds"
            f" ({config.ack_deadline_seconds} s)."
        )
    if export.max_bytes:
        check_range("cloud_storage_config.max_bytes", export.max_bytes, OBJECT_BYTES, "bytes")
    if export.max_messages:
        check_range("cloud_storage_config.max_messages", export.max_messages, OBJECT_MESSAGES, "messages")
    if export.HasField("avro_config"):
        check_installed("fastavro", "export", "an export in Avro")
    if export.avro_config.use_topic_schema:
        raise UnimplementedError(
            "The local Pub/Sub has no avro_config.use_topic_schema: try it on Google Cloud."
        )


def object_time(time: datetime, time_format: str) -> str:
    """Format a time for an object's name, in a subscription's format; "" means Google's default."""
    if not time_format:
        return time.isoformat(timespec="seconds")
    return _PARTS.sub(lambda part: time.strftime(_TIMES[part[0]]), time_format)


def _check_time_format(time_format: str) -> None:
    parts = [part.replace("YYYY", "YY") for part in _PARTS.findall(time_format)]
    rest = _PARTS.sub("", time_format)
    if sorted(parts) != ["DD", "MM", "YY", "hh", "mm", "ss"] or not _BETWEEN.fullmatch(rest):
        raise InvalidArgumentError(
            f"Invalid filename_datetime_format {time_format!r}: it must have each of YYYY (or YY), MM, DD,"
            " hh, mm and ss once, with nothing between them but - _ : / . T Z and spaces."
        )
