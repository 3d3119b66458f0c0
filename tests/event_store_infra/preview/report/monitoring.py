"""One method of Cloud Monitoring, `projects.timeSeries.list`, and Google's tokens, on a loopback server.

The shapes are the documented ones, and a request that Google would refuse is refused:
https://docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list .
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_TOKEN: Final = "token-of-the-test"  # noqa: S105 # worth nothing
_PARAMETERS: Final = {
    *("filter", "interval.startTime", "interval.endTime", "view", "pageSize", "pageToken"),
    *("aggregation.alignmentPeriod", "aggregation.perSeriesAligner"),
}
_FILTER: Final = re.compile(
    r'metric\.type = "([^"]+)" AND resource\.type = "([^"]+)" AND resource\.labels\.(\w+) = one_of\((.+)\)'
)
_MOST_NAMES: Final = 100
MEASURED: Final = datetime(2026, 11, 30, 8, 12, tzinfo=UTC)


class TimeSeriesServer(ThreadingHTTPServer):
    """What Cloud Monitoring has measured.

    Attributes:
        values: By metric and name, a value for each region.
        asked: The names of each call.
        failure: The status and the body of every answer; None to answer.
        hangs: Whether no call is answered until the end.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.values: dict[tuple[str, str], Sequence[int]] = {}
        self.asked: list[list[str]] = []
        self.failure: tuple[int, str] | None = None
        self.hangs = False
        self.ends = threading.Event()

    def measure(self, kind: str, name: str, counts: Sequence[int], ages: Sequence[int] = ()) -> None:
        """Let there be a backlog.

        Args:
            kind: `subscription` or `topic`.
            name: Its name.
            counts: Of messages, in each region.
            ages: Of the oldest, in seconds.
        """
        metrics = {
            "subscription": ("num_undelivered_messages", "oldest_unacked_message_age"),
            "topic": ("num_unacked_messages_by_region", "oldest_unacked_message_age_by_region"),
        }
        for metric, values in zip(metrics[kind], (counts, ages), strict=True):
            self.values[f"pubsub.googleapis.com/{kind}/{metric}", name] = values

    def variables(self, folder: Path) -> Mapping[str, str]:
        """Return the environment of somebody who asks this server, with credentials of its own."""
        url = f"http://127.0.0.1:{self.server_port}"
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        account = {
            "type": "service_account",
            "project_id": "p-1",
            "private_key_id": "1",
            "private_key": key.decode(),
            "client_email": "previewer@p-1.iam.gserviceaccount.com",
            "token_uri": f"{url}/token",
        }
        path = folder / "credentials.json"
        path.write_text(json.dumps(account))
        return {
            "GOOGLE_APPLICATION_CREDENTIALS": str(path),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING": f"{url}/",
            "NO_PROXY": "127.0.0.1",
        }


class _Handler(BaseHTTPRequestHandler):
    server: TimeSeriesServer

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert self.path == "/token"
        assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        self._answer(200, {"access_token": _TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: value for key, (value,) in parse_qs(parts.query).items()}
        match = _FILTER.fullmatch(query.get("filter", ""))
        project = re.fullmatch(r"/v3/projects/([^/]+)/timeSeries", parts.path)
        names = re.findall(r'"([^"]*)"', match[4]) if match else []
        self.server.asked.append(names)
        if self.server.hangs:
            self.server.ends.wait()
        elif self.server.failure is not None:
            self._write(*self.server.failure)
        elif self.headers["Authorization"] != f"Bearer {_TOKEN}":
            self._answer(401, _error(401, "Request had invalid authentication credentials."))
        elif project is None:
            self._answer(404, _error(404, "Requested entity was not found."))
        elif match is None or len(names) > _MOST_NAMES or not query.keys() <= _PARAMETERS:
            self._answer(400, _error(400, f"Field filter or a parameter is wrong: {query}"))
        elif not query["interval.startTime"] < query["interval.endTime"] or query["view"] != "FULL":
            self._answer(400, _error(400, "Field interval or view is wrong"))
        else:
            self._list(query.get("pageToken", ""), [*self._series(project[1], match, names)])

    def _series(self, project: str, match: re.Match[str], names: Sequence[str]) -> Iterator[dict[str, Any]]:
        metric, resource, label = match[1], match[2], match[3]
        for name in names:
            for region, value in enumerate(self.server.values.get((metric, name), ())):
                labels = {"region": f"r-{region}"} if metric.endswith("_by_region") else {}
                yield {
                    "metric": {"type": metric, **({"labels": labels} if labels else {})},
                    "resource": {"type": resource, "labels": {label: name, "project_id": project}},
                    "metricKind": "GAUGE",
                    "valueType": "INT64",
                    "points": [_point(value, MEASURED), _point(0, MEASURED - timedelta(minutes=1))],
                }

    def _list(self, token: str, series: Sequence[dict[str, Any]]) -> None:
        """Answer with one page of two time series, the first of which is the empty token's."""
        start = int(token or 0)
        page: dict[str, Any] = {"unit": "1"}
        if series:
            page["timeSeries"] = series[start : start + 2]
        if start + 2 < len(series):
            page["nextPageToken"] = str(start + 2)
        self._answer(200, page)

    def _answer(self, code: int, content: object) -> None:
        self._write(code, json.dumps(content))

    def _write(self, code: int, text: str) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _point(value: int, time: datetime) -> dict[str, Any]:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"interval": {"startTime": moment, "endTime": moment}, "value": {"int64Value": str(value)}}


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": "INVALID_ARGUMENT"}}


@contextmanager
def monitoring_server() -> Iterator[TimeSeriesServer]:
    """Run a Cloud Monitoring that has measured nothing yet."""
    with TimeSeriesServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.ends.set()
        server.shutdown()
        thread.join()
