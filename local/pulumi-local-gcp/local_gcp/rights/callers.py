"""Who calls: known by an access token that this machine gave out, and never by what a caller says of itself.

A token is the name of an account, signed. So it is the same whenever it is asked for, which an instance's
password has to be, and it outlives a restart. It is worth nothing outside this machine.
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
    """An identity.

    Attributes:
        name: As a policy names it, for messages.
        members: All that a policy may name it by.
        is_owner: It may do everything.
    """

    name: str
    members: frozenset[str]
    is_owner: bool = False


ANONYMOUS: Final = Caller(name="anonymous", members=frozenset({"allUsers"}))
OWNER: Final = Caller(name="the owner at this machine", members=frozenset(), is_owner=True)


def service_account(email: str) -> Caller:
    """Return an account of a program, or a service agent of Google's."""
    member = f"serviceAccount:{email}"
    return Caller(name=member, members=frozenset({member, "allUsers", "allAuthenticatedUsers"}))


class Tokens:
    """Access tokens of accounts.

    Args:
        secret: What they are signed with.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def of_account(self, email: str) -> str:
        """Return the token of a service account, whoever asks: `Rights` and the metadata server know whom."""
        name = base64.urlsafe_b64encode(email.encode()).decode().rstrip("=")
        return f"{_PREFIX}.{name}.{self._signature(email)}"

    def caller(self, token: str) -> Caller:
        """Return whose token it is.

        Raises:
            CloudError: Nobody's: it was not given out here.
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
