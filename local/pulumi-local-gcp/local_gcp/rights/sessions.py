"""The identity behind each connection of Pulumi's engine.

As with the real providers, the provider's configuration comes first, and then the environment of the engine.
Each `Provider` has an address of its own, which stands for such an environment.

Invariant: a connection has no identity before it is configured, so a lost and reopened one is rejected.
"""

from collections.abc import Mapping
from typing import Any, Final

from local_gcp.resource.errors import CloudError
from local_gcp.rights.callers import Caller, Tokens, service_account
from local_gcp.rights.resources import account
from local_gcp.rights.rights import Rights

_DOCKER: Final = "docker-build:"
# https://cloud.google.com/artifact-registry/docs/docker/authentication#token
_DOCKER_USER: Final = "oauth2accesstoken"


class Sessions:
    """The connections of one provider.

    Args:
        rights: Judges which caller may act as which account.
        tokens: Identifies the owner of a token.
        caller: The identity of the credentials in the engine's environment.
        docker: The identity that Docker is logged in as there.
    """

    def __init__(self, rights: Rights, tokens: Tokens, caller: Caller, docker: Caller) -> None:
        self._rights = rights
        self._tokens = tokens
        self._caller = caller
        self._docker = docker
        self._configured: dict[str, Caller | None] = {}

    def configure(self, peer: str, config: Mapping[str, Any]) -> Caller:
        """Store the credentials of a provider's configuration, and return their identity.

        Args:
            peer: The connection.
            config: `accessToken` and `impersonateServiceAccount` of gcp, or `registries` of docker-build.

        Raises:
            CloudError: A token was not issued by this machine, or its owner may not act as the account.
        """
        named = self._named(config)
        if email := config.get("impersonateServiceAccount"):
            self._rights.check(named or self._caller, "iam.serviceAccounts.getAccessToken", account(email))
            named = service_account(email)
        self._configured[peer] = named
        return named or self._caller

    def caller(self, peer: str, resource_type: str = "") -> Caller:
        """Return the caller of a connection, for a resource of a type.

        Raises:
            CloudError: The connection is not configured.
        """
        if peer not in self._configured:
            raise CloudError(
                "googleapi: Error 401: the connection was lost, and with it its credentials: "
                "run the command again, authError"
            )
        default = self._docker if resource_type.startswith(_DOCKER) else self._caller
        return self._configured[peer] or default

    def _named(self, config: Mapping[str, Any]) -> Caller | None:
        logins = config.get("registries") or []
        tokens = [each.get("password") for each in logins if each.get("username") == _DOCKER_USER]
        token = config.get("accessToken") or next(iter(tokens), None)
        return self._tokens.caller(token) if token else None
