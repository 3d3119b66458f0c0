"""Answers of the metadata server: tokens, those that are tried again, and those that are errors."""

import http.client
import time
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from typing import Any

import pytest
from google.auth.exceptions import RefreshError

from event_store import metadata_server
from event_store.environment import METADATA_HOST
from event_store.metadata_server import FromMetadata
from tests.metadata import Metadata, serving


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, in seconds; none takes time."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


@pytest.mark.usefixtures("metadata")
@pytest.mark.parametrize("kind", [{"audience": "https://service.example"}, {"scopes": ["one", "two"]}, {}])
def test_a_token_serves_until_it_is_about_to_expire(
    monkeypatch: pytest.MonkeyPatch, kind: dict[str, Any]
) -> None:
    """Identity and access alike: one with an hour to go is kept, one with a minute is not."""
    found = FromMetadata(**kind)
    found.refresh()
    assert found.valid

    monkeypatch.setattr(Metadata, "expires_in_seconds", 60)
    found.refresh()
    assert not found.valid
    assert len(set(Metadata.asked)) == 1


@pytest.mark.usefixtures("metadata")
def test_no_proxy_is_asked_for_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata server is this workload's own, and a proxy has another one or none."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    found = FromMetadata()
    found.refresh()

    assert str(found.token) == "access-1"


@pytest.mark.usefixtures("metadata")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_transient_status_is_tried_again_after_a_growing_pause(status: int, pauses: list[float]) -> None:
    """A few times, and then the caller is told that it may try again later."""
    found = FromMetadata()
    Metadata.statuses += [status] * 2
    found.refresh()
    assert str(found.token) == "access-3"
    assert all(0 < one <= other for one, other in pairwise(pauses))

    Metadata.statuses += [status] * 3
    with pytest.raises(RefreshError, match=f"answered {status}") as failed:
        found.refresh()
    assert failed.value.retryable
    assert len(Metadata.asked) == 6
    assert str(found.token) == "access-3"


@pytest.mark.usefixtures("metadata")
def test_a_refusal_is_not_tried_again(pauses: list[float]) -> None:
    """The workload has no service account, or not these scopes: an operator has to change that."""
    Metadata.statuses += [404]
    with pytest.raises(RefreshError, match="answered 404") as failed:
        FromMetadata().refresh()

    assert not failed.value.retryable
    assert pauses == []


def test_where_nothing_listens_there_is_no_metadata_server(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    """After a few attempts: it starts together with the workload."""
    monkeypatch.setenv(METADATA_HOST, "127.0.0.1:1")
    with pytest.raises(RefreshError, match="is unreachable") as failed:
        FromMetadata().refresh()

    assert not failed.value.retryable
    assert len(pauses) == 2


@pytest.mark.usefixtures("metadata", "pauses")
def test_a_metadata_server_that_does_not_answer_may_answer_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there: whoever lacks its token has credentials."""
    monkeypatch.setattr(metadata_server, "_ATTEMPT_SECONDS", 0.1)
    Metadata.hold.clear()
    with pytest.raises(RefreshError, match="is unreachable") as failed:
        FromMetadata().refresh()
    assert failed.value.retryable


class _Closing(BaseHTTPRequestHandler):
    """Reads a request and closes the connection."""

    def do_GET(self) -> None:
        self.close_connection = True

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class _Page(_Closing):
    """Answers everything with a long page, as a captive portal."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"<" * 5000)


@pytest.mark.usefixtures("pauses")
def test_a_closed_connection_may_be_answered_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a timeout."""
    with serving(_Closing) as address:
        monkeypatch.setenv(METADATA_HOST, address)
        with pytest.raises(RefreshError, match="is unreachable") as failed:
            FromMetadata().refresh()

    assert failed.value.retryable


@pytest.mark.parametrize("kind", [{"audience": "https://service.example"}, {}])
def test_a_page_is_no_token_and_is_not_quoted_at_length(
    monkeypatch: pytest.MonkeyPatch, kind: dict[str, Any]
) -> None:
    """A captive portal answers everything with a page."""
    with serving(_Page) as address:
        monkeypatch.setenv(METADATA_HOST, address)
        with pytest.raises(RefreshError, match="issued no token"):
            FromMetadata(**kind).refresh()
        monkeypatch.setattr(_Page, "status", http.client.FORBIDDEN)
        with pytest.raises(RefreshError, match=r"answered 403: <{300}$"):
            FromMetadata(**kind).refresh()
