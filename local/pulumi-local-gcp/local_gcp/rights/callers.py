"""Callers, identified by an access token that this machine issued, and never by their own claims.

A token is the signed name of an account. So it never changes, as an instance's password must not, and it
outlives a restart. It is worthless outside this machine.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from local_gcp.resource.errors import CloudError

_PREFIX: Final = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An identity that calls.

    Attributes:
        name: The name in policies, for messages.
        members: All members of policies that include the identity.
        is_owner: Whether the identity may do everything.
    """

    name: str
    members: frozenset[str]
    is_owner: bool = False


ANONYMOUS: Final = Caller(name="anonymous", members=frozenset({"allUsers"}))
OWNER: Final = Caller(name="the owner at this machine", members=frozenset(), is_owner=True)


def service_account(email: str) -> Caller:
    """Return the caller for a service account, or for a service agent of Google."""
    member = f"serviceAccount:{email}"
    return Caller(name=member, members=frozenset({member, "allUsers", "allAuthenticatedUsers"}))


class Tokens:
    """Access tokens of accounts.

    Args:
        secret: The key of the signatures.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def of_account(self, email: str) -> str:
        """Return a service account's token, without a check of who may have it."""
        name = base64.urlsafe_b64encode(email.encode()).decode().rstrip("=")
        return f"{_PREFIX}.{name}.{self._signature(email)}"

    def caller(self, token: str) -> Caller:
        """Return the owner of a token.

        Raises:
            CloudError: The token was not issued by this machine.
        """
        prefix, _, rest = token.partition(".")
        name, _, signature = rest.partition(".")
        try:
            email = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
        except ValueError:
            email = ""
        if prefix == _PREFIX and hmac.compare_digest(signature.encode(), self._signature(email).encode()):
            return service_account(email)
        raise CloudError(
            "googleapi: Error 401: Request had invalid authentication credentials: "
            "the local Google Cloud did not give out this access token, authError"
        )

    def _signature(self, email: str) -> str:
        return hmac.new(self._secret, email.encode(), hashlib.sha256).hexdigest()
