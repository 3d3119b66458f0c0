"""Where tokens come from, and that many threads share one."""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from event_store import credentials
from event_store.environment import METADATA_HOST
from event_store.errors import ConfigurationError, UnavailableError
from tests.metadata import Metadata, serving

PATIENCE_SECONDS = 5.0


@pytest.mark.usefixtures("metadata")
def test_an_identity_is_for_the_service_that_is_called() -> None:
    """The metadata server is asked for a token for its URL, at once: who has no identity hears of it."""
    credentials.identity("https://service.example")

    (asked,) = Metadata.asked
    assert asked.endswith("/default/identity?audience=https%3A%2F%2Fservice.example&format=full")


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
    monkeypatch.setenv(METADATA_HOST, "127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=r"metadata server is unreachable.*run as a service account"):
        credentials.identity("https://service.example")

    monkeypatch.setenv(credentials.FILE, str(tmp_path / "missing.json"))
    with pytest.raises(ConfigurationError, match="either not found or invalid"):
        credentials.identity("https://service.example")


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


@pytest.mark.usefixtures("metadata")
def test_a_metadata_server_in_trouble_is_no_lack_of_credentials() -> None:
    """A caller retries then, and no operator is called."""
    Metadata.statuses += [503] * 3
    with pytest.raises(UnavailableError, match="no identity token for"):
        credentials.identity("https://service.example")

    Metadata.statuses += [404]
    with pytest.raises(ConfigurationError, match="answered 404"):
        credentials.identity("https://service.example")


@pytest.mark.usefixtures("metadata")
def test_impersonation_without_its_package_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Otherwise each call would fail on a thread of gRPC."""
    file = tmp_path / "impersonated.json"
    account = "projects/-/serviceAccounts/caller@example.iam.gserviceaccount.com"
    person = {"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    impersonated = {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": f"https://iamcredentials.invalid/v1/{account}:generateAccessToken",
        "source_credentials": person,
    }
    file.write_text(json.dumps(impersonated))
    monkeypatch.setenv(credentials.FILE, str(file))
    credentials.identity("https://service.example")

    monkeypatch.delitem(sys.modules, "google.auth.transport.requests")
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(ConfigurationError, match="pip install requests"):
        credentials.identity("https://service.example")


class _TokenEndpoint(BaseHTTPRequestHandler):
    """Answers with a token of another kind than that which was asked for."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"id_token": "secret"}')

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.mark.usefixtures("metadata")
def test_no_error_has_a_token_in_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Errors are logged."""
    file = tmp_path / "account.json"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    monkeypatch.setenv(credentials.FILE, str(file))
    with serving(_TokenEndpoint) as address:
        account = {
            "type": "service_account",
            "client_email": "caller@example.iam.gserviceaccount.com",
            "private_key": key.decode(),
            "token_uri": f"http://{address}/token",
        }
        file.write_text(json.dumps(account))
        with pytest.raises(UnavailableError, match="no access token for the test: ") as failed:
            credentials.AccessToken("the test", ["one"]).current()

    assert "secret" not in str(failed.value)


def test_a_file_that_cannot_be_read_is_a_lack_of_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As one that is missing: it ends no relay."""
    monkeypatch.setenv(credentials.FILE, str(tmp_path))
    with pytest.raises(ConfigurationError, match="no credentials for the access token for the test"):
        credentials.access("the test", ["one"], "or not")
    with pytest.raises(UnavailableError, match="no access token for the test"):
        credentials.AccessToken("the test", ["one"]).current()


@pytest.mark.usefixtures("metadata")
def test_threads_share_one_refresh() -> None:
    """Each call gets its headers on a thread of its own, and those of the first calls together."""
    token = credentials.AccessToken("the test", ["one"])
    Metadata.hold.clear()
    together = Barrier(9)

    def headers() -> tuple[tuple[str, str], ...]:
        together.wait()
        return token.headers()

    with ThreadPoolExecutor(8) as threads:
        all_headers = [threads.submit(headers) for _ in range(8)]
        together.wait()
        Metadata.hold.set()

    assert {each.result() for each in all_headers} == {(("authorization", "Bearer access-1"),)}
    assert len(Metadata.asked) == 1


@pytest.mark.usefixtures("metadata")
def test_a_token_is_used_until_it_really_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed early refresh does not end it, and is not repeated by the next call."""
    monkeypatch.setattr(Metadata, "expires_in_seconds", 60)
    token = credentials.AccessToken("the test", ["one"])
    present = token.current()
    asked = len(Metadata.asked)

    Metadata.statuses += [404]
    assert [token.current() for _ in range(3)] == [present] * 3
    assert len(Metadata.asked) == asked + 1

    token._credentials.expiry -= timedelta(seconds=60)
    Metadata.statuses += [404]
    with pytest.raises(UnavailableError, match="no access token for the test"):
        token.current()


@pytest.mark.usefixtures("metadata")
@pytest.mark.parametrize("seconds", [60, 0], ids=["valid", "expired"])
def test_no_thread_waits_long_for_the_refresh_of_another(
    monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """One with a valid token goes on with it; one without is told after a time limit."""
    monkeypatch.setattr(credentials, "_WAIT_SECONDS", PATIENCE_SECONDS if seconds else 0.1)
    monkeypatch.setattr(Metadata, "expires_in_seconds", seconds)
    token = credentials.AccessToken("the test", ["one"])
    present = token.current()
    Metadata.arrived.clear()
    Metadata.hold.clear()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(token.current)
        Metadata.arrived.wait()
        try:
            if seconds:
                start = time.monotonic()
                assert token.current() == present
                assert time.monotonic() - start < PATIENCE_SECONDS
            else:
                with pytest.raises(UnavailableError, match=r"within 0\.1 s"):
                    token.current()
        finally:
            Metadata.hold.set()
