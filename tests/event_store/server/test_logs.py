"""Logs that Google Cloud Logging understands."""

import json
import logging

from event_store.server.json_logging import CloudFormatter


def formatted(project: str = "", **extra: str) -> dict[str, str]:
    record = logging.getLogger("event_store.x").makeRecord(
        "event_store.x", logging.WARNING, "file.py", 1, "it is %s", ("so",), None, extra=extra
    )
    line = CloudFormatter(project).format(record)
    assert "\n" not in line
    entry: dict[str, str] = json.loads(line)
    return entry


def test_a_record_is_a_line_of_json_with_severity_and_time() -> None:
    """Severity, message and time bear the names that Cloud Logging reads; extras are fields."""
    entry = formatted(owner="me")

    assert (entry["severity"], entry["message"], entry["owner"]) == ("WARNING", "it is so", "me")
    assert entry["time"].endswith("+00:00")


def test_a_record_is_linked_to_its_trace() -> None:
    """A traceparent becomes the trace's name in its project; one that is none is left out."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    entry = formatted("words", traceparent=f"00-{trace}-b7ad6b7169203331-01")

    assert entry["logging.googleapis.com/trace"] == f"projects/words/traces/{trace}"
    assert entry["logging.googleapis.com/spanId"] == "b7ad6b7169203331"
    assert "traceparent" not in entry
    assert "logging.googleapis.com/trace" not in formatted(traceparent="x")


def test_an_exception_is_part_of_the_message() -> None:
    """A traceback stays with its record, on its line."""
    error = ValueError("x")
    record = logging.LogRecord("x", logging.ERROR, "file.py", 1, "failed", None, (ValueError, error, None))

    assert json.loads(CloudFormatter("").format(record))["message"] == "failed\nValueError: x"
