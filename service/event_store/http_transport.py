"""Send HTTP requests for google-auth by the standard library.

google-auth's own transport needs the package requests and four others.
"""

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final

import google.auth.exceptions
import google.auth.transport

_errors: Final[Any] = google.auth.exceptions  # Any: google-auth gives their constructors no types
_REQUEST_SECONDS: Final = 10.0
_MOST_BYTES: Final = 1 << 20  # of a response; a token has some thousand


@dataclass(frozen=True, slots=True)
class Response:
    """The parts of a response that google-auth reads."""

    status: int
    headers: Message  # finds a name in any case, as google-auth expects
    data: bytes


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect as the response: urllib would send the Authorization header to the other host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing."""


class Transport(google.auth.transport.Request):
    """Sends HTTP requests.

    Args:
        handlers: What urllib uses in addition to its own handlers.
    """

    def __init__(self, *handlers: urllib.request.BaseHandler) -> None:
        self._handlers = (_NoRedirects(), *handlers)

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> Response:
        """Send a request and return the response, of any status, with at most 1 MiB of its body.

        Raises:
            google.auth.exceptions.TransportError: No response was received; its cause is the system's error.
        """
        if not url.startswith(("http://", "https://")):
            raise _errors.TransportError(f"not a URL of HTTP: {url}")
        content = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(url, content, dict(headers or {}), method=method)  # noqa: S310 # checked
        opener = urllib.request.build_opener(*self._handlers)
        try:
            try:
                response = opener.open(request, timeout=timeout or _REQUEST_SECONDS)
            except urllib.error.HTTPError as other_status:
                response = other_status
            with response:
                return Response(response.status, response.headers, response.read(_MOST_BYTES))
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            cause = reason if isinstance(reason, Exception) else error
            fix = (
                ": install the certificates of this Python, or set SSL_CERT_FILE"
                if isinstance(cause, ssl.SSLCertVerificationError)
                else ""
            )
            raise _errors.TransportError(f"{error}{fix}") from cause
