"""Where tokens come from: files are read by google-auth, the metadata server by ourselves."""

import os
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from google.auth.exceptions import RefreshError, TransportError

from event_store import credentials
from event_store.errors import ConfigurationError, UnavailableError
from tests.metadata import Metadata


@pytest.mark.usefixtures("metadata")
def test_an_identity_is_for_the_service_that_is_called() -> None:
    """The metadata server is asked for a token for its URL, at once: who has no identity hears of it."""
    credentials.identity("https://service.example")

    (asked,) = Metadata.asked
    assert asked.endswith("/default/identity?audience=https%3A%2F%2Fservice.example&format=full")


@pytest.mark.usefixtures("metadata")
@pytest.mark.parametrize("kind", [{"audience": "https://service.example"}, {"scopes": ["one", "two"]}, {}])
def test_a_token_serves_until_it_is_about_to_expire(
    monkeypatch: pytest.MonkeyPatch, kind: dict[str, Any]
) -> None:
    """Identity and access alike: one with an hour to go is kept, one with a minute is not."""
    found = credentials._FromMetadata(**kind)
    found.refresh()
    assert found.valid

    monkeypatch.setattr(Metadata, "expires_in_seconds", 60)
    found.refresh()
    assert not found.valid
    assert len(set(Metadata.asked)) == 1


@pytest.mark.usefixtures("metadata")
def test_an_access_token_is_made_once() -> None:
    """And is at hand then; a refusal of the metadata server is told with what needs the token."""
    token = credentials.AccessToken("the test", ["one"])
    assert token.at_hand == ""
    assert (token.current(), token.current(), token.at_hand) == ("access-1",) * 3

    Metadata.statuses.append(404)
    with pytest.raises(
        UnavailableError, match="no access token for the test: the metadata server answered 404"
    ):
        credentials.AccessToken("the test").current()


def test_without_any_identity_the_error_names_the_ways_to_one(
    monkeypatch: pytest.MonkeyPatch, metadata: str, tmp_path: Path
) -> None:
    """No metadata server answers, or the file is missing."""
    assert metadata
    monkeypatch.setenv(credentials.METADATA_HOST, "127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=r"metadata server is unreachable.*run as a service account"):
        credentials.identity("https://service.example")

    monkeypatch.setenv(credentials.FILE, str(tmp_path / "missing.json"))
    with pytest.raises(ConfigurationError, match="either not found or invalid"):
        credentials.identity("https://service.example")


@pytest.mark.usefixtures("metadata")
def test_a_text_that_is_no_token_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A captive portal answers everything with a page."""
    page = credentials._Response(200, Message(), b"<")
    monkeypatch.setattr("event_store.credentials._direct", lambda *_, **__: page)

    for kind in ({"audience": "https://service.example"}, {}):
        with pytest.raises(RefreshError, match="issued no token"):
            credentials._FromMetadata(**kind).refresh()


def test_google_auth_gets_each_response_and_no_other_url(metadata: str) -> None:
    """Its flows read statuses themselves; a URL of its configuration can open no file."""
    refused = credentials._direct(f"http://{metadata}/", method="GET")

    assert refused.status == 403
    with pytest.raises(TransportError, match="not a URL of HTTP"):
        credentials._direct("file:///etc/hostname")
    with pytest.raises(TransportError):
        credentials._direct("http://127.0.0.1:1/")


@pytest.mark.usefixtures("metadata")
@pytest.mark.parametrize("home", [None, "/" + "a" * 5000], ids=["none", "not searchable"])
def test_a_workload_needs_no_home(monkeypatch: pytest.MonkeyPatch, home: str | None) -> None:
    """A container's user may have no entry in the password database, or a home that it cannot look into."""
    monkeypatch.delenv("CLOUDSDK_CONFIG")
    monkeypatch.setattr(os, "getuid", lambda: 987_654_321)
    if home is None:
        monkeypatch.delenv("HOME", raising=False)
    else:
        monkeypatch.setenv("HOME", home)

    assert credentials.AccessToken("the test", ["one"]).current() == "access-1"
