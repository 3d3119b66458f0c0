"""Get Google's tokens for calls of a service, Pub/Sub and the database.

The credentials are in the file that `GOOGLE_APPLICATION_CREDENTIALS` names, for access tokens also in the
file that `gcloud auth application-default login` writes, and otherwise on the metadata server.

Import this module only where a token is needed: google-auth takes longer to load than the rest of a client.
google-auth's HTTP transport and metadata reader need the package requests and four others; those below need
none.
"""

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from typing import Any, Final
from urllib.parse import urlencode

import google.auth
import google.auth.credentials
import google.auth.exceptions
import google.auth.jwt
import google.auth.transport
import google.auth.transport.grpc
import google.oauth2.id_token
import grpc

from event_store.errors import ConfigurationError, UnavailableError

FILE: Final = "GOOGLE_APPLICATION_CREDENTIALS"
METADATA_HOST: Final = "GCE_METADATA_HOST"
_errors: Final[Any] = google.auth.exceptions  # Any: google-auth gives their constructors no types
_METADATA: Final = "http://{host}/computeMetadata/v1/instance/service-accounts/default/"
_METADATA_ATTEMPTS: Final = 3  # it starts together with the workload and may be a moment late
_METADATA_SECONDS: Final = 3.0
_REQUEST_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Response:
    """The parts of a response that google-auth reads."""

    status: int
    headers: Message  # finds a name in any case, as google-auth expects
    data: bytes


class _Request(google.auth.transport.Request):
    """Sends HTTP requests for google-auth by the standard library."""

    def __init__(self, *handlers: urllib.request.BaseHandler) -> None:
        self._handlers = handlers

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> _Response:
        """Send a request and return the response, of any status.

        Raises:
            google.auth.exceptions.TransportError: No response was received.
        """
        if not url.startswith(("http://", "https://")):
            raise _errors.TransportError(f"not a URL of HTTP: {url}")
        content = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(url, content, dict(headers or {}), method=method)  # noqa: S310 # checked
        try:
            opener = urllib.request.build_opener(*self._handlers)
            with opener.open(request, timeout=timeout or _REQUEST_SECONDS) as response:
                return _Response(response.status, response.headers, response.read())
        except urllib.error.HTTPError as answer:
            with answer:
                return _Response(answer.code, answer.headers, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise _errors.TransportError(str(error)) from error


_request: Final = _Request()
_direct: Final = _Request(urllib.request.ProxyHandler({}))  # without a proxy, for the metadata server


class _FromMetadata(google.auth.credentials.Credentials):
    """A token of the metadata server: an access token, or an identity token for an audience."""

    def __init__(self, *, scopes: Sequence[str] = (), audience: str = "") -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth gives it no types
        self._audience = audience
        asked = {"scopes": ",".join(scopes)} if scopes else {}
        self._path = (
            f"identity?{urlencode({'audience': audience, 'format': 'full'})}"
            if audience
            else f"token?{urlencode(asked)}"
        )

    def refresh(self, _request: Any = None) -> None:
        """Fetch a new token.

        Raises:
            google.auth.exceptions.GoogleAuthError: The metadata server is unreachable, or issued no token.
        """
        host = os.environ.get(METADATA_HOST) or "metadata.google.internal"
        url = f"{_METADATA.format(host=host)}{self._path}"
        for attempt in range(1, _METADATA_ATTEMPTS + 1):
            try:
                answer = _direct(url, headers={"Metadata-Flavor": "Google"}, timeout=_METADATA_SECONDS)
            except google.auth.exceptions.TransportError as error:
                if attempt == _METADATA_ATTEMPTS:
                    raise _errors.RefreshError(f"the metadata server is unreachable: {error}") from error
            else:
                break
        text = answer.data.decode(errors="replace")
        if answer.status != http.client.OK:
            raise _errors.RefreshError(f"the metadata server answered {answer.status}: {text}")
        try:
            self.token, self.expiry = _identity_token(text) if self._audience else _access_token(text)
        except (ValueError, LookupError, TypeError) as error:
            raise _errors.RefreshError("the metadata server issued no token") from error


def _access_token(text: str) -> tuple[str, datetime]:
    answer = json.loads(text)
    expiry = datetime.now(UTC) + timedelta(seconds=answer["expires_in"])
    return answer["access_token"], expiry.replace(tzinfo=None)  # google-auth's times are UTC without a zone


def _identity_token(text: str) -> tuple[str, datetime]:
    claims: Any = google.auth.jwt.decode(text, verify=False)  # type: ignore[no-untyped-call] # google-auth gives it no types
    return text, datetime.fromtimestamp(claims["exp"], UTC).replace(tzinfo=None)


def identity(audience: str) -> grpc.CallCredentials:
    """Return call credentials that add an identity token to each call.

    Args:
        audience: The URL of the called service.

    Raises:
        ConfigurationError: There are no credentials for identity tokens.
    """
    try:
        if os.environ.get(FILE):
            found: Any = google.oauth2.id_token.fetch_id_token_credentials(audience, _request)  # type: ignore[no-untyped-call] # google-auth gives it no types
        else:
            found = _FromMetadata(audience=audience)
            found.refresh()
    except (google.auth.exceptions.GoogleAuthError, ImportError) as error:
        raise ConfigurationError(
            f"no credentials for an identity token for {audience} ({error}): run as a service account, or "
            f"set {FILE} to the credentials file of one"
        ) from None
    return _on_calls(found)


def access(scopes: Sequence[str]) -> grpc.CallCredentials:
    """Return call credentials that add an access token to each call.

    Raises:
        google.auth.exceptions.GoogleAuthError: There are no credentials.
    """
    return _on_calls(_access(scopes))


class AccessToken:
    """An access token that is refreshed shortly before it expires.

    Args:
        purpose: The purpose of the token, for the error.
        scopes: The scopes of the token; empty for the workload's own scopes on the metadata server.
    """

    def __init__(self, purpose: str, scopes: Sequence[str] = ()) -> None:
        self._purpose = purpose
        self._scopes = scopes
        self._credentials: Any = None

    @property
    def at_hand(self) -> str:
        """The token if it stays valid for some minutes, otherwise empty."""
        return str(self._credentials.token) if self._credentials and self._credentials.valid else ""

    def current(self) -> str:
        """Return a token that stays valid for some minutes; blocks to fetch one.

        Raises:
            UnavailableError: No token could be fetched.
        """
        try:
            if self._credentials is None:
                self._credentials = _access(self._scopes) if self._scopes else _FromMetadata()
            if not self._credentials.valid:
                self._credentials.refresh(_request)
        except google.auth.exceptions.GoogleAuthError as error:
            raise UnavailableError(f"no access token for {self._purpose}: {error}") from error
        return str(self._credentials.token)


def _access(scopes: Sequence[str]) -> Any:
    # Not by pathlib, which raises where there is no home directory or it may not be searched.
    folder = os.environ.get("CLOUDSDK_CONFIG") or os.path.expanduser("~/.config/gcloud")  # noqa: PTH111 # see above
    file = os.path.join(folder, "application_default_credentials.json")  # noqa: PTH118 # see above
    if os.environ.get(FILE) or os.path.isfile(file):  # noqa: PTH113 # see above
        found, _ = google.auth.default(scopes=scopes, request=_request)
        return found
    credentials = _FromMetadata(scopes=scopes)
    credentials.refresh()
    return credentials


def _on_calls(credentials: Any) -> grpc.CallCredentials:
    plugin: Any = google.auth.transport.grpc.AuthMetadataPlugin  # Any: google-auth gives it no types
    return grpc.metadata_call_credentials(plugin(credentials, _request))
