"""Write logs as JSON lines in the form of Google Cloud Logging: severity, message, time, trace."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")

_OF_EVERY_RECORD: Final = {*vars(logging.makeLogRecord({})), "message", "asctime"}


def configure_logs(level: str, project: str = "") -> None:
    """Write all logs to standard error, one JSON object per line.

    Args:
        level: The least severe level to log: DEBUG, INFO, WARNING or ERROR.
        project: The Google Cloud project of the traces; if empty, only the id of a trace is logged.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CloudFormatter(project))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


class CloudFormatter(logging.Formatter):
    """Formats a log record as one line of JSON; `extra={"traceparent": …}` links it to its trace."""

    def __init__(self, project: str) -> None:
        super().__init__()
        self._project = project

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; each key of its `extra` becomes a field."""
        entry: dict[str, Any] = {
            **{name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD},
            "severity": record.levelname,  # Python's names are Cloud Logging's
            "message": record.getMessage(),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "logger": record.name,
        }
        if record.exc_info:
            entry["message"] += "\n" + self.formatException(record.exc_info)
        if match := _TRACEPARENT.fullmatch(str(entry.pop("traceparent", ""))):
            trace, span = match.groups()
            prefix = f"projects/{self._project}/traces/" if self._project else ""
            entry["logging.googleapis.com/trace"] = prefix + trace
            entry["logging.googleapis.com/spanId"] = span
        return json.dumps(entry, ensure_ascii=False, default=str)
