"""Get tokens from the metadata server, on which Google Cloud tells a workload who it is.

google-auth's own reader needs the package requests and four others.
"""

import http.client
import json
import os
import time
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import google.auth.credentials
import google.auth.exceptions
import google.auth.jwt

from event_store.backoff import Backoff
from event_store.environment import METADATA_HOST
from event_store.http_transport import Response, Transport

_errors: Final[Any] = google.auth.exceptions  # Any: google-auth gives their constructors no types
_URL: Final = "http://{host}/computeMetadata/v1/instance/service-accounts/default/"
# The server starts together with the workload and may be a moment late. All attempts end within ten seconds.
_ATTEMPTS: Final = 3
_ATTEMPT_SECONDS: Final = 3.0
_FIRST_PAUSE_SECONDS: Final = 0.25
_LONGEST_PAUSE_SECONDS: Final = 0.5
_TRANSIENT_STATUSES: Final = (429, 500, 502, 503, 504)
# The server is there but did not answer; another error says that there is none.
_TRANSIENT_ERRORS: Final = (TimeoutError, ConnectionResetError, http.client.HTTPException)
_QUOTED_CHARACTERS: Final = 300

_direct: Final = Transport(urllib.request.ProxyHandler({}))  # without a proxy


class FromMetadata(google.auth.credentials.Credentials):
    """A token of the metadata server.

    Args:
        scopes: The scopes of an access token; empty for the workload's own.
        audience: The audience of an identity token; empty for an access token.
    """

    def __init__(self, *, scopes: Sequence[str] = (), audience: str = "") -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth gives it no types
        self._audience = audience
        asked = {"scopes": ",".join(scopes)} if scopes else {}
        self._path = (
            f"identity?{urlencode({'audience': audience, 'format': 'full'})}"
            if audience
            else f"token?{urlencode(asked)}"
        )

    def refresh(self, _transport: Any = None) -> None:
        """Fetch a new token.

        Raises:
            google.auth.exceptions.RefreshError: The metadata server is unreachable, or issued no token;
                `retryable` if it is there and a later attempt can help.
        """
        text = self._answer().data.decode(errors="replace")
        try:
            self.token, self.expiry = _identity_token(text) if self._audience else _access_token(text)
        except (ValueError, LookupError, TypeError):
            raise _errors.RefreshError("the metadata server issued no token") from None

    def _answer(self) -> Response:
        host = os.environ.get(METADATA_HOST) or "metadata.google.internal"
        url = f"{_URL.format(host=host)}{self._path}"
        pauses = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = _direct(url, headers={"Metadata-Flavor": "Google"}, timeout=_ATTEMPT_SECONDS)
            except google.auth.exceptions.TransportError as error:
                failure, again = f"is unreachable: {error}", True
                transient = isinstance(error.__cause__, _TRANSIENT_ERRORS)
            else:
                if answer.status == http.client.OK:
                    return answer
                body = answer.data.decode(errors="replace")[:_QUOTED_CHARACTERS]
                failure = f"answered {answer.status}: {body}"
                again = transient = answer.status in _TRANSIENT_STATUSES
            if not again or attempt == _ATTEMPTS:
                break
            time.sleep(pauses.next_seconds())
        raise _errors.RefreshError(f"the metadata server {failure}", retryable=transient)


def _access_token(text: str) -> tuple[str, datetime]:
    answer = json.loads(text)
    expiry = datetime.now(UTC) + timedelta(seconds=answer["expires_in"])
    return answer["access_token"], expiry.replace(tzinfo=None)  # google-auth's times are UTC without a zone


def _identity_token(text: str) -> tuple[str, datetime]:
    claims: Any = google.auth.jwt.decode(text, verify=False)  # type: ignore[no-untyped-call] # google-auth gives it no types
    return text, datetime.fromtimestamp(claims["exp"], UTC).replace(tzinfo=None)
