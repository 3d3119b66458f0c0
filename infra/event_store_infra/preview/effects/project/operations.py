"""The project around the stack: its APIs, its identities, and who from elsewhere may be one of them."""

from collections.abc import Mapping
from typing import Any, Final

from event_store_infra.preview.effects.deletion import DELETION_POLICY
from event_store_infra.preview.effects.effect import (
    HARMLESS,
    Effect,
    Effects,
    Rule,
    cuts_off,
    less_safe,
    loses,
    set_back,
    stops,
)
from event_store_infra.preview.effects.rules import (
    becomes,
    begins,
    changes,
    either,
    harmless,
    same,
    thins,
)
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from event_store_infra.preview.plan.plan import Step

API: Final = "gcp:projects/service:Service"
ACCOUNT: Final = "gcp:serviceaccount/account:Account"
_SERVICE_USAGE: Final = "https://docs.cloud.google.com/service-usage/docs/enable-disable"
_ROLES: Final = "https://docs.cloud.google.com/iam/docs/creating-custom-roles"
_PROVIDERS: Final = "https://docs.cloud.google.com/iam/docs/manage-workload-identity-pools-providers"
_DISABLED: Final = loses(
    "the API, and with it all that stands by it in the project, which is disabled as the resource goes",
    "set `disable_on_destroy=False` in an update before.",
    _SERVICE_USAGE,
)
_FEDERATION: Final = stops(
    "every workflow that comes by it: no preview and no deployment until it is there again",
    _PROVIDERS,
)


def _api(step: Step) -> Effect:
    """Tell by what the state says about disabling it; nothing is of a provider that disabled it unasked.

    https://github.com/hashicorp/terraform-provider-google/issues/18058
    """
    given = [each["disableOnDestroy"] for each in (step.old, step.outputs) if "disableOnDestroy" in each]
    return HARMLESS if given and not any(given) else _DISABLED


def _account(step: Step) -> Effect:
    name = code(step.id.rpartition("/")[2] or str(step.old.get("accountId", "?")))
    return cuts_off(
        f"{name} from every grant made outside of this stack: no later account, of this name or another, "
        "gets them back",
        set_back(step) or "keep the account.",
        "https://docs.cloud.google.com/iam/docs/service-accounts-delete-undelete",
        "make sure that nobody has granted it anything that is still needed; if the bootstrap makes it "
        "from now on, hand it over: see docs/howto/deploy.md.",
    )


def _permissions(old: Any, new: Any) -> Effect:
    """Name what a role no longer has, or has from now on."""
    if LATER in (old, new):
        return less_safe("nobody can tell what the role permits", _ROLES)
    before, after = (set(each or ()) for each in (old, new))
    gone, more = (", ".join(map(code, sorted(each))) for each in (before - after, after - before))
    if gone:
        return stops(f"whoever has the role from {gone}", _ROLES)
    return less_safe(f"whoever has the role may {more}, too", _ROLES) if more else HARMLESS


def _who(what: str) -> Effect:
    return less_safe(f"{what}: others may get in, or nobody", _PROVIDERS)


_API: Final[Mapping[str, Rule]] = {
    **harmless("project", "service"),  # another value is another resource, which is judged as its end
    **DELETION_POLICY,
    **harmless("disableDependentServices", "checkIfServiceHasUsageOnDestroy"),  # judged as it goes
    "disableOnDestroy": begins(
        less_safe("the API is disabled in the whole project as the resource goes", _SERVICE_USAGE)
    ),
}
_ACCOUNT: Final[Mapping[str, Rule]] = {
    **harmless("accountId", "project"),  # another value is another resource, which is judged as its end
    **DELETION_POLICY,
    **harmless("createIgnoreAlreadyExists", "description", "displayName"),
    "disabled": begins(
        stops(
            "whatever acts as it: it gets no token any more",
            "https://docs.cloud.google.com/iam/docs/service-accounts-disable-enable",
        )
    ),
}
_CUSTOM_ROLE: Final[Mapping[str, Rule]] = {
    **harmless("project", "roleId"),  # another value is another resource, which is judged as its end
    **DELETION_POLICY,
    **harmless("description", "title"),
    "permissions": _permissions,
    "stage": becomes(stops("whoever has the role: it permits nothing any more", _ROLES), "DISABLED"),
}
_POOL: Final[Mapping[str, Rule]] = {
    **harmless("project", "workloadIdentityPoolId", "mode"),  # another value is another resource
    **DELETION_POLICY,
    **harmless("description", "displayName"),
    "disabled": begins(_FEDERATION),
    "attestationRules.googleCloudResource": changes(_who("other workloads are attested")),
    **harmless(
        *("caPools", "keyAlgorithm", "lifetime", "rotationWindowPercentage", "useDefaultSharedCa"),
        at="inlineCertificateIssuanceConfig",
    ),
    **same(
        changes(_who("other certificates are trusted")),
        *("trustAnchors.pemCertificate", "trustDefaultSharedCa", "trustDomain"),
        at="inlineTrustConfig.additionalTrustBundles",
    ),
}
_PROVIDER: Final[Mapping[str, Rule]] = {
    # Another value is another resource, which is judged as its end.
    **harmless("project", "workloadIdentityPoolId", "workloadIdentityPoolProviderId"),
    **DELETION_POLICY,
    **harmless("description", "displayName"),
    "disabled": begins(_FEDERATION),
    "attributeCondition": changes(_who("another condition decides which workflows come in")),
    "attributeMapping": either(
        thins(stops("every workflow that is granted something by an attribute that goes", _PROVIDERS)),
        changes(_who("what a workflow is called by depends on more")),
    ),
    "aws.accountId": changes(_FEDERATION),
    "oidc.allowedAudiences": either(
        thins(stops("every workflow whose token is for an audience that goes", _PROVIDERS)),
        changes(_who("tokens for other audiences are taken")),
    ),
    "oidc.issuerUri": changes(_FEDERATION),
    **same(changes(_who("other keys are trusted")), "oidc.jwksJson", "saml.idpMetadataXml"),
    **same(
        changes(_who("other certificates are trusted")),
        *("intermediateCas.pemCertificate", "trustAnchors.pemCertificate"),
        at="x509.trustStore",
    ),
}

TABLES: Final[Mapping[str, Effects]] = {
    API: Effects(gone=_api, properties=_API),
    # Google's own, which stays; what it is granted is judged as a grant.
    "gcp:projects/serviceIdentity:ServiceIdentity": Effects(
        gone=HARMLESS, properties=harmless("project", "service")
    ),
    ACCOUNT: Effects(gone=_account, properties=_ACCOUNT),
    "gcp:projects/iAMCustomRole:IAMCustomRole": Effects(
        gone=stops("whoever has the role", f"{_ROLES}#deleting-custom-role"), properties=_CUSTOM_ROLE
    ),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": Effects(gone=_FEDERATION, properties=_POOL),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": Effects(
        gone=_FEDERATION, properties=_PROVIDER
    ),
    # What was pushed stays in the repository.
    "docker-build:index:Image": Effects(gone=HARMLESS, properties={}, rest=changes(HARMLESS)),
}
