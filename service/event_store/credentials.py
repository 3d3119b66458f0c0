"""Get Google's tokens for calls of a service, Pub/Sub and the database.

The credentials are in the file that `GOOGLE_APPLICATION_CREDENTIALS` names, for access tokens also in the
file that `gcloud auth application-default login` writes, and otherwise on the metadata server.

Import this module only where a token is needed: google-auth takes longer to load than the rest of a client.
"""

import importlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import google.auth
import google.auth.exceptions
import google.auth.impersonated_credentials
import google.oauth2.id_token
import grpc
from google.auth.credentials import TokenState

from event_store.errors import ConfigurationError, UnavailableError
from event_store.http_transport import Transport
from event_store.metadata_server import FromMetadata

FILE: Final = "GOOGLE_APPLICATION_CREDENTIALS"
_WAIT_SECONDS: Final = 10.0  # for a token that another thread fetches
_PAUSE_SECONDS: Final = 10.0  # after a failed refresh, while the present token is valid
_QUOTED_CHARACTERS: Final = 300
# Of google-auth: also a file that may not be read, and a package that its rarer kinds of credentials need.
_FAILURES: Final = (google.auth.exceptions.GoogleAuthError, OSError, ImportError)

_transport: Final = Transport()


class Token:
    """A token that is refreshed shortly before it expires, for any number of threads.

    Args:
        name: The kind and purpose of the token, for errors.
        find: Returns the credentials of google-auth.
    """

    def __init__(self, name: str, find: Callable[[], Any]) -> None:
        self.name = name
        self._find = find
        self._credentials: Any = None
        self._refreshing = threading.Lock()
        self._paused_until = 0.0  # by the monotonic clock

    @property
    def at_hand(self) -> str:
        """The token if it stays valid for some minutes, otherwise empty."""
        return str(self._credentials.token) if self._credentials and self._credentials.valid else ""

    def find(self) -> None:
        """Find the credentials, before the first call of another method.

        Raises:
            google.auth.exceptions.GoogleAuthError: There are none, or not now.
            OSError: The file of credentials cannot be read.
            ImportError: google-auth needs another package for this kind of credentials.
        """
        self._credentials = self._find()

    def current(self) -> str:
        """Return a valid token; blocks to fetch one.

        Raises:
            UnavailableError: No token could be fetched.
        """
        self._keep_valid()
        return str(self._credentials.token)

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers of a call that bears the token; blocks to fetch one.

        Raises:
            UnavailableError: No token could be fetched.
        """
        self._keep_valid()
        headers: dict[str, str] = {}
        self._credentials.apply(headers)
        return tuple(headers.items())

    @property
    def _is_valid(self) -> bool:
        return bool(self._credentials) and self._credentials.token_state is not TokenState.INVALID

    def _keep_valid(self) -> None:
        # A token that is still valid waits for no other thread's refresh, nor for one that just failed.
        if self.at_hand or (self._is_valid and time.monotonic() < self._paused_until):
            return
        if not self._refreshing.acquire(timeout=0 if self._is_valid else _WAIT_SECONDS):
            if self._is_valid:
                return
            raise UnavailableError(f"no {self.name} within {_WAIT_SECONDS:g} s")
        try:
            if self._credentials is None:
                self.find()
            if not self._credentials.valid:
                self._credentials.refresh(_transport)
        except _FAILURES as error:
            if not self._is_valid:
                raise UnavailableError(f"no {self.name}: {_said(error)}") from None
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
        finally:
            self._refreshing.release()


class AccessToken(Token):
    """An access token.

    Args:
        purpose: The purpose of the token, for errors.
        scopes: The scopes of the token; empty for the workload's own scopes on the metadata server.
    """

    def __init__(self, purpose: str, scopes: Sequence[str] = ()) -> None:
        super().__init__(f"access token for {purpose}", partial(_access, scopes) if scopes else FromMetadata)


def identity(audience: str) -> grpc.CallCredentials:
    """Return call credentials that add an identity token to each call.

    Args:
        audience: The URL of the called service.

    Raises:
        ConfigurationError: There are no credentials for identity tokens.
        UnavailableError: The metadata server issues no token now.
    """
    token = Token(f"identity token for {audience}", partial(_identity, audience))
    return _on_calls(token, f"or set {FILE} to the credentials file of one")


def access(purpose: str, scopes: Sequence[str], otherwise: str) -> grpc.CallCredentials:
    """Return call credentials that add an access token to each call.

    Args:
        purpose: The purpose of the token, for errors.
        scopes: The scopes of the token.
        otherwise: What an operator without credentials can do who runs no service account.

    Raises:
        ConfigurationError: There are no credentials.
        UnavailableError: The metadata server issues no token now.
    """
    return _on_calls(AccessToken(purpose, scopes), otherwise)


class _Headers(grpc.AuthMetadataPlugin):  # type: ignore[misc] # grpc has no types
    """Adds a token to each call; gRPC calls it on threads of its own."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def __call__(self, _context: Any, callback: Callable[..., None]) -> None:
        try:
            headers = self._token.headers()
        except UnavailableError as error:
            callback((), error)
        else:
            callback(headers, None)


def _on_calls(token: Token, otherwise: str) -> grpc.CallCredentials:
    try:
        token.find()
    except _FAILURES as error:
        if isinstance(error, google.auth.exceptions.GoogleAuthError) and error.retryable:
            raise UnavailableError(f"no {token.name}: {_said(error)}") from None
        raise ConfigurationError(
            f"no credentials for the {token.name} ({_said(error)}): run as a service account, {otherwise}"
        ) from None
    return grpc.metadata_call_credentials(_Headers(token))


def _identity(audience: str) -> Any:
    if not os.environ.get(FILE):
        return _of_metadata_server(audience=audience)
    found: Any = google.oauth2.id_token.fetch_id_token_credentials(audience, _transport)  # type: ignore[no-untyped-call] # google-auth gives it no types
    if isinstance(found, google.auth.impersonated_credentials.IDTokenCredentials):
        try:
            importlib.import_module("google.auth.transport.requests")  # as its refresh does
        except ImportError:
            raise ConfigurationError(
                f"no identity token for {audience}: the credentials in {FILE} impersonate a service account, "
                "which needs the package requests: install it with `pip install requests`"
            ) from None
    return found


def _access(scopes: Sequence[str]) -> Any:
    # Not by pathlib, which raises where there is no home directory or it may not be searched.
    folder = os.environ.get("CLOUDSDK_CONFIG") or os.path.expanduser("~/.config/gcloud")  # noqa: PTH111 # see above
    file = os.path.join(folder, "application_default_credentials.json")  # noqa: PTH118 # see above
    if os.environ.get(FILE) or os.path.isfile(file):  # noqa: PTH113 # see above
        found, _ = google.auth.default(scopes=scopes, request=_transport)
        return found
    return _of_metadata_server(scopes=scopes)


def _of_metadata_server(**kind: Any) -> FromMetadata:
    credentials = FromMetadata(**kind)
    credentials.refresh()
    return credentials


def _said(error: Exception) -> str:
    # google-auth adds the response as a further argument, and a response may have a token in it.
    said = (
        error.args[0] if isinstance(error, google.auth.exceptions.GoogleAuthError) and error.args else error
    )
    return str(said)[:_QUOTED_CHARACTERS]
