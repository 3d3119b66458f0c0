"""How connections log in without a password, and what they trust."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from event_store.environment import Environment
from event_store.errors import UnavailableError
from event_store.login import Login
from tests.conftest import TestDatabase

CA = "-----BEGIN CERTIFICATE-----\n"


class Metadata(BaseHTTPRequestHandler):
    """Google's metadata server, as far as a token needs it; each token has a number."""

    tokens = 0

    def do_GET(self) -> None:
        body = {}
        if "/token" in self.path:
            Metadata.tokens += 1
            body = {"access_token": f"token-{Metadata.tokens}", "expires_in": 3600, "token_type": "Bearer"}
        elif "/service-accounts/default/" in self.path:
            body = {"email": "runtime@example.iam.gserviceaccount.com", "scopes": [], "aliases": ["default"]}
        self.send_response(200)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def metadata_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        address = f"127.0.0.1:{server.server_address[1]}"
        for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP"):
            monkeypatch.setenv(name, address)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "test")
        monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))  # a developer's own credentials are not used
        monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        yield server
        server.shutdown()
        thread.join()


def test_an_access_token_is_the_password_and_is_kept(metadata_server: ThreadingHTTPServer) -> None:
    """With `iam` each connection's password is a token, and a token serves until it is about to expire."""
    login = Login(Environment(database_login="iam"))

    first, second = login.parameters()["password"], login.parameters()["password"]

    assert first == second
    assert first.startswith("token-")
    assert metadata_server.server_address


def test_no_token_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without an identity a connection fails with a sentence."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))

    with pytest.raises(UnavailableError, match="no access token"):
        Login(Environment(database_login="iam")).parameters()


def test_the_servers_certificate_is_checked_where_one_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The given certificate is written to a private file and asked for, unless PGSSLMODE says otherwise."""
    login = Login(Environment(database_ca=CA))
    parameters = login.parameters()
    path = Path(parameters["sslrootcert"])
    monkeypatch.setenv("PGSSLMODE", "disable")

    assert parameters["sslmode"] == "verify-ca"
    assert path.read_text() == CA
    assert path.parent.stat().st_mode & 0o077 == 0
    assert Login(Environment(database_ca=CA)).parameters()["sslmode"] == "disable"


def test_times_and_isolation_do_not_depend_on_the_server(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every session has its own settings, beside those that PGOPTIONS gives."""
    for name, value in database.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=8MB")

    with Login(Environment(), statement_timeout="7s").connect() as connection:
        for setting, value in (
            ("timezone", "UTC"),
            ("transaction_isolation", "read committed"),
            ("work_mem", "8MB"),
            ("statement_timeout", "7s"),
        ):
            assert connection.execute("SELECT current_setting(%s)", (setting,)).fetchone() == (value,)
