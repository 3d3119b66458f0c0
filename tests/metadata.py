"""Google's metadata server on this machine, as far as tokens need it, and the environment of its workload."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import ClassVar

import pytest


class Metadata(BaseHTTPRequestHandler):
    """Answers as Google's metadata server does, which wants its header.

    Attributes:
        asked: The paths of all requests.
        expires_in_seconds: How long each token is valid.
        statuses: The statuses of the next answers; after the last one all are 200.
        arrived: Set with each request.
        hold: No answer before it is set.
    """

    asked: ClassVar[list[str]]
    expires_in_seconds: ClassVar[int]
    statuses: ClassVar[list[int]]
    arrived: ClassVar[Event]
    hold: ClassVar[Event]

    def do_GET(self) -> None:
        """Give a token, the next number each time."""
        Metadata.asked.append(self.path)
        number = len(Metadata.asked)
        Metadata.arrived.set()
        Metadata.hold.wait()
        status = Metadata.statuses.pop(0) if Metadata.statuses else 200
        if self.headers["Metadata-Flavor"] != "Google" or status != 200:
            self.send_error(403 if status == 200 else status)
            return
        answer = {"access_token": f"access-{number}", "expires_in": Metadata.expires_in_seconds}
        text = _jwt(number) if "/identity" in self.path else json.dumps(answer)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def _jwt(number: int) -> str:
    parts = ({"alg": "RS256"}, {"exp": int(time.time()) + Metadata.expires_in_seconds, "sub": str(number)})
    head, claims = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )
    return f"{head}.{claims}.c2lnbmF0dXJl"


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve HTTP on a free port of this machine; `HOST:PORT`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A workload of Google Cloud: nothing but the metadata server."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    hold = Event()
    hold.set()
    start = {"asked": [], "expires_in_seconds": 3600, "statuses": [], "arrived": Event(), "hold": hold}
    for name, value in start.items():
        monkeypatch.setattr(Metadata, name, value, raising=False)
    with serving(Metadata) as address:
        monkeypatch.setenv("GCE_METADATA_HOST", address)
        yield address
        Metadata.hold.set()
