"""What google-auth sends and receives through us: each response, no redirect, no other scheme."""

import ssl
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.auth.exceptions import TransportError

from event_store.http_transport import Transport
from tests.metadata import serving


class _Other(BaseHTTPRequestHandler):
    """Another host, which notes the credentials of requests."""

    seen: ClassVar[list[str | None]]

    def do_GET(self) -> None:
        _Other.seen.append(self.headers["Authorization"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * (2 << 20))

    do_POST = do_GET  # noqa: N815 # the name that http.server looks for

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class _Redirecting(_Other):
    """Redirects to the other host, with the status that is its path."""

    to = ""

    def do_GET(self) -> None:
        self.send_response(int(self.path.removeprefix("/")))
        self.send_header("Location", f"http://{_Redirecting.to}/")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 # the name that http.server looks for


@pytest.fixture(autouse=True)
def _seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Other, "seen", [], raising=False)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(monkeypatch: pytest.MonkeyPatch, method: str, status: int) -> None:
    """It is the response: the other host gets no credentials."""
    with serving(_Other) as other, serving(_Redirecting) as redirecting:
        monkeypatch.setattr(_Redirecting, "to", other)
        response = Transport()(
            f"http://{redirecting}/{status}", method, headers={"Authorization": "Bearer secret"}
        )

    assert response.status == status
    assert _Other.seen == []


def test_each_status_is_a_response_and_no_file_is_opened() -> None:
    """google-auth's flows read statuses themselves; the URLs come from its configuration."""
    with serving(_Redirecting) as address:
        assert Transport()(f"http://{address}/404").status == 404
    with pytest.raises(TransportError, match="not a URL of HTTP"):
        Transport()("file:///etc/hostname")
    with pytest.raises(TransportError):
        Transport()("http://127.0.0.1:1/")


def test_a_response_is_read_up_to_a_limit() -> None:
    """Whoever answers cannot fill the memory."""
    with serving(_Other) as address:
        assert len(Transport()(f"http://{address}/").data) == 1 << 20


def test_an_untrusted_certificate_is_told_with_its_fix(tmp_path: Path) -> None:
    """A Python without certificates, as python.org's for macOS before its last step, trusts nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Other) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(TransportError, match=r"install the certificates .* or set SSL_CERT_FILE"):
                Transport()(f"https://127.0.0.1:{server.server_address[1]}/")
        finally:
            server.shutdown()
            thread.join()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = folder / "server.pem"
    secret = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, encryption_algorithm=serialization.NoEncryption()
    )
    file.write_bytes(secret + certificate.public_bytes(pem))
    return file
