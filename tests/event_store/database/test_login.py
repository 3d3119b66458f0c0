"""How connections log in without a password, and what they trust."""

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import ClassVar, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from event_store.database.connection import ANSWER_SECONDS
from event_store.database.login import Login
from event_store.database.pool import Database
from event_store.environment import Environment
from event_store.errors import UnavailableError
from tests.conftest import TestDatabase

PATIENCE_SECONDS: Final = 10.0
CA = "-----BEGIN CERTIFICATE-----\n"


class Metadata(BaseHTTPRequestHandler):
    """Google's metadata server, as far as a token needs it; each token has a number."""

    tokens = 0
    expires_in_seconds = 3600
    asked: ClassVar[list[str]] = []  # the scopes of each token
    hold: Event | None = None  # no token before it is set

    def do_GET(self) -> None:
        body: dict[str, object] = {}
        url = urlsplit(self.path)
        if url.path.endswith("/token"):
            if self.hold is not None:
                self.hold.wait()
            Metadata.tokens += 1
            Metadata.asked += parse_qs(url.query).get("scopes", [""])
            body = {
                "access_token": f"token-{Metadata.tokens}",
                "expires_in": Metadata.expires_in_seconds,
                "token_type": "Bearer",
            }
        elif "/service-accounts/" in url.path:  # by its alias, and then by its email
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


def test_a_token_is_made_anew_before_it_expires(
    metadata_server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is good for a minute more is no password for a connection; the next connection has another."""
    monkeypatch.setattr(Metadata, "expires_in_seconds", 60)
    login = Login(Environment(database_login="iam"))

    passwords = [login.parameters()["password"] for _ in range(3)]
    monkeypatch.setattr(Metadata, "expires_in_seconds", 3600)
    kept = [login.parameters()["password"] for _ in range(3)]

    assert len({*passwords}) == 3
    assert len({*kept}) == 1
    assert not {*kept} & {*passwords}
    assert metadata_server.server_address


def test_a_token_logs_in_to_databases_and_does_nothing_else(
    metadata_server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever gets hold of one, as the database's server does, can do nothing with it in Google Cloud."""
    monkeypatch.setattr(Metadata, "asked", [])
    Login(Environment(database_login="iam")).parameters()

    assert [{*each.split(",")} for each in Metadata.asked] == [
        {f"https://www.googleapis.com/auth/{each}.login" for each in ("sqlservice", "alloydb")}
    ]
    assert metadata_server.server_address


def test_a_replica_is_reached_and_checked_by_what_is_its_own() -> None:
    """Its address, port and authority are those that the environment names for it, not the primary's."""
    other = CA.replace("CERTIFICATE", "OTHER CERTIFICATE")
    environment = Environment(
        database_ca=CA, replica_host="10.0.0.9", replica_port=5433, replica_ca=other, database_login="libpq"
    )
    primary, replica = Login(environment), Login(environment, to_replica=True)

    assert Path(primary.parameters()["sslrootcert"]).read_text() == CA
    assert "host" not in primary.parameters()
    assert Path(replica.parameters()["sslrootcert"]).read_text() == other
    assert (replica.parameters()["host"], replica.parameters()["port"]) == ("10.0.0.9", 5433)
    assert replica.parameters()["sslmode"] == "verify-ca"


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


async def test_a_token_that_does_not_come_is_told_in_time(
    metadata_server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An identity service that hangs holds up no connection beyond the limit, and no thread forever."""
    monkeypatch.setattr("event_store.database.login._TOKEN_SECONDS", 0.5)
    login = Login(Environment(database_login="iam"))
    login.parameters()
    login._access._credentials.token = None  # it has expired
    released = Event()
    monkeypatch.setattr(Metadata, "hold", released)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            errors = await asyncio.gather(*(login.connect_async() for _ in range(20)), return_exceptions=True)
    finally:
        released.set()

    assert {type(each) for each in errors} == {UnavailableError}
    assert all("no access token" in str(each) for each in errors)
    assert metadata_server.server_address


async def test_every_session_ends_what_takes_too_long(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement, a wait for a lock and an idle transaction have limits of the server, below ours."""
    for name, value in database.variables().items():
        monkeypatch.setenv(name, value)
    asked = (
        "SELECT setting::int FROM pg_settings WHERE name IN"
        " ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') ORDER BY name"
    )
    pool = Database(Environment(), 2)
    await pool.open()
    try:
        of_requests = [each for (each,) in await (await pool.execute(asked)).fetchall()]
        async with await pool.login.connect_async() as connection:
            of_loops = [each for (each,) in await (await connection.execute(asked)).fetchall()]
    finally:
        await pool.close()

    assert of_requests == [15_000, 5_000, 6_000]
    assert of_loops == [15_000, 5_000, 15_000]
    assert of_loops[2] < ANSWER_SECONDS * 1000
