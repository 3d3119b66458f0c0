"""The project around the stack: its APIs, its identities, and what tells people of trouble."""

from collections.abc import Mapping
from typing import Final

from infra.preview.effects.effect import HARMLESS, Effect, Effects, cuts_off, less_safe, loses, stops
from infra.preview.effects.rules import changes
from infra.preview.plan import Step

API: Final = "gcp:projects/service:Service"
ACCOUNT: Final = "gcp:serviceaccount/account:Account"
_DISABLED: Final = loses(
    "the API, and with it all that stands by it in the project, which is disabled as the resource goes",
    "set `disable_on_destroy=False` in an update before.",
    "https://docs.cloud.google.com/service-usage/docs/enable-disable",
)
_ANY: Final = changes(HARMLESS)
_FEDERATION: Final = stops(
    "every workflow that comes by it: no preview and no deployment until it is there again",
    "https://docs.cloud.google.com/iam/docs/manage-workload-identity-pools-providers",
)
_UNTOLD: Final = less_safe("nobody is told by it any more", "https://docs.cloud.google.com/monitoring/alerts")


def _api(step: Step) -> Effect:
    """Tell by what the inputs say about disabling it; nothing stands for the default, which is to disable."""
    given = [each["disableOnDestroy"] for each in (step.old, step.outputs) if "disableOnDestroy" in each]
    return HARMLESS if given and not any(given) else _DISABLED


TABLES: Final[Mapping[str, Effects]] = {
    API: Effects(gone=_api, properties={}),
    "gcp:projects/serviceIdentity:ServiceIdentity": Effects(
        gone=HARMLESS, properties={}
    ),  # Google's own stays
    ACCOUNT: Effects(
        gone=cuts_off(
            "it from all that others have granted to it: a new account of its name does not get that back",
            "keep the account, or give it an alias if it was only renamed in the program.",
            "https://docs.cloud.google.com/iam/docs/service-accounts-delete-undelete",
            "make sure that nobody has granted it anything that is still needed.",
        ),
        properties={},
    ),
    "gcp:projects/iAMCustomRole:IAMCustomRole": Effects(
        gone=stops(
            "whoever has the role",
            "https://docs.cloud.google.com/iam/docs/creating-custom-roles#deleting-custom-role",
        ),
        properties={},
    ),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": Effects(gone=_FEDERATION, properties={}),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": Effects(
        gone=_FEDERATION, properties={}
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": Effects(gone=_UNTOLD, properties={}),
    "gcp:monitoring/notificationChannel:NotificationChannel": Effects(gone=_UNTOLD, properties={}),
    "gcp:monitoring/dashboard:Dashboard": Effects(gone=HARMLESS, properties={}, rest=_ANY),
    "gcp:logging/metric:Metric": Effects(gone=_UNTOLD, properties={}),
    # What was pushed stays in the repository.
    "docker-build:index:Image": Effects(gone=HARMLESS, properties={}, rest=_ANY),
}
