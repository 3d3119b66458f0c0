"""Workload identity federation: external identities that may act as accounts here.

https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
"""

import re
from collections.abc import Iterator
from typing import Final

from local_gcp.resource.field import IMMUTABLE, Text
from local_gcp.resource.properties import Properties, is_known
from local_gcp.resource.table import Limits
from local_gcp.rights.cel import problem

_ID: Final = Text(
    r"(?!gcp-)[a-z0-9-]{4,32}",
    "4 to 32 lower-case letters, digits and hyphens, not beginning with gcp-",
    required=True,
    immutable=True,
)
_SOURCES: Final = ("aws", "oidc", "saml", "x509")
_ATTRIBUTE: Final = re.compile(r"google\.(subject|groups)|attribute\.[a-z0-9_]{1,100}")
_MOST_ATTRIBUTES: Final = 50
_LONGEST_MAPPING: Final = 2048  # characters
_ABOUT: Final = {
    "project": IMMUTABLE,
    "displayName": Text(r".{0,32}", "at most 32 characters"),
    "description": Text(r".{0,256}", "at most 256 characters"),
}


def _has_one_source(inputs: Properties) -> Iterator[tuple[str, str]]:
    if not any(source in inputs for source in _SOURCES):
        yield "oidc", f"is required, or another of {', '.join(_SOURCES)}"


def _says_who(inputs: Properties) -> Iterator[tuple[str, str]]:
    mapping = inputs.get("attributeMapping", {})
    if "aws" not in inputs and is_known(mapping) and "google.subject" not in mapping:
        yield "attributeMapping", "must say what google.subject is"


def _maps_claims(inputs: Properties) -> Iterator[tuple[str, str]]:
    mapping = inputs.get("attributeMapping", {})
    if not is_known(mapping):
        return
    if sum(each.startswith("attribute.") for each in mapping) > _MOST_ATTRIBUTES:
        yield "attributeMapping", f"must have at most {_MOST_ATTRIBUTES} attributes of its own"
    for name, expression in mapping.items():
        path = f"attributeMapping.{name}"
        if not _ATTRIBUTE.fullmatch(name):
            yield path, "must be google.subject, google.groups, or attribute. and letters, digits and _"
        elif is_known(expression) and len(expression) > _LONGEST_MAPPING:
            yield path, f"must be at most {_LONGEST_MAPPING} characters"
        elif is_known(expression) and (reason := problem(expression, ["assertion"])):
            yield path, reason


def _conditions_on_claims(inputs: Properties) -> Iterator[tuple[str, str]]:
    condition = inputs.get("attributeCondition")
    names = ["assertion", "google", "attribute"]
    if condition and is_known(condition) and (reason := problem(condition, names)):
        yield "attributeCondition", reason


def _names_no_source_of_everybody(inputs: Properties) -> Iterator[tuple[str, str]]:
    """Reject a provider of a public issuer, such as GitHub, that lets in all of its users."""
    issuer = (inputs.get("oidc") or {}).get("issuerUri", "")
    if is_known(issuer) and "token.actions.githubusercontent.com" in issuer:
        condition = inputs.get("attributeCondition", "")
        if not condition or (is_known(condition) and "assertion." not in condition):
            yield "attributeCondition", "must refer to one of the provider's claims"


POOL: Final = Limits(
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
    {"workloadIdentityPoolId": _ID, **_ABOUT},
    name="workloadIdentityPoolId",
)
PROVIDER: Final = Limits(
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
    {
        "workloadIdentityPoolId": _ID,
        "workloadIdentityPoolProviderId": _ID,
        **_ABOUT,
        "attributeCondition": Text(r".{0,4096}", "at most 4096 characters"),
        "oidc.issuerUri": Text(r"https://\S+", "an https address", required=True),
    },
    exclusive=(_SOURCES,),
    rules=(
        *(_has_one_source, _says_who, _maps_claims),
        *(_conditions_on_claims, _names_no_source_of_everybody),
    ),
    name="workloadIdentityPoolProviderId",
)
