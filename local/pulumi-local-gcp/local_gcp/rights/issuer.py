"""Issues account tokens to external workloads, as Google's Security Token Service and IAM do.

https://cloud.google.com/iam/docs/workload-identity-federation
"""

from collections.abc import Mapping
from typing import Any, Final

from local_gcp.recorded import federation
from local_gcp.resource.errors import CloudError
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Records
from local_gcp.rights.callers import Caller, Tokens
from local_gcp.rights.cel import ExpressionError, evaluate
from local_gcp.rights.resources import account
from local_gcp.rights.rights import Rights

_LONGEST_SUBJECT: Final = 127  # bytes; Google's limit on google.subject
_GLOBAL: Final = "//iam.googleapis.com/"


class Issuer:
    """Exchanges the claims of an OpenID token for an account's access token.

    Args:
        records: Hold pools, providers and grants.
        rights: Judges which workload may act as which account.
        tokens: Issues the tokens.
    """

    def __init__(self, records: Records, rights: Rights, tokens: Tokens) -> None:
        self._records = records
        self._rights = rights
        self._tokens = tokens

    def access_token(self, provider: str, claims: Mapping[str, Any], email: str) -> str:
        """Return the access token of an account for a workload.

        Args:
            provider: The full name of the identity provider, `projects/NUMBER/locations/global/…`.
            claims: The claims of the OpenID token, which stand for the token itself.
            email: The account's email.

        Raises:
            CloudError: The provider rejects the claims, or the workload may not act as the account.
        """
        caller = self.federated(provider, claims)
        self._rights.check(caller, "iam.serviceAccounts.getAccessToken", account(email))
        return self._tokens.of_account(email)

    def federated(self, provider: str, claims: Mapping[str, Any]) -> Caller:
        """Return the identity that claims have in IAM.

        Raises:
            CloudError: The provider rejects the claims.
        """
        inputs = self._provider(provider)
        condition = inputs.get("attributeCondition", "true")
        try:
            attributes = {
                name: str(evaluate(expression, assertion=claims))
                for name, expression in inputs["attributeMapping"].items()
            }
            is_accepted = evaluate(condition, assertion=claims) is True
        except ExpressionError as error:
            raise CloudError(
                f"Error 400: invalid_grant: {provider} reads a claim that the token lacks: {error}"
            ) from error
        if not is_accepted:
            raise CloudError(
                "Error 403: unauthorized_client: The given credential is rejected by the attribute "
                f"condition of {provider}: {condition}"
            )
        subject = attributes["google.subject"]
        if not 0 < len(subject.encode()) <= _LONGEST_SUBJECT:
            raise CloudError(
                f"Error 400: invalid_request: google.subject of {provider} is {len(subject.encode())} bytes "
                f"long, and must be 1 to {_LONGEST_SUBJECT}: {subject}"
            )
        pool = provider.rpartition("/providers/")[0]
        name = f"principal:{_GLOBAL}{pool}/subject/{subject}"
        sets = {
            f"principalSet:{_GLOBAL}{pool}/{key}/{value}"
            for key, value in attributes.items()
            if key.startswith("attribute.")
        }
        everybody = {f"principalSet:{_GLOBAL}{pool}/*", "allUsers", "allAuthenticatedUsers"}
        return Caller(name=name, members=frozenset({name, *sets, *everybody}))

    def _provider(self, name: str) -> Properties:
        for record in self._records.of_type(federation.PROVIDER.type):
            if record.outputs["name"] == name:
                return record.inputs
        raise CloudError(f"Error 400: invalid_target: there is no identity provider {name}")
