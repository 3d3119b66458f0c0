"""What keeps the provider from deleting a resource: two properties that many types have."""

from collections.abc import Mapping
from typing import Final

from event_store_infra.preview.effects.effect import Rule, less_safe
from event_store_infra.preview.effects.rules import ends, towards

_POLICY: Final = "https://www.pulumi.com/registry/packages/gcp/api-docs/cloudrunv2/service/#inputs"
# PREVENT makes a deletion fail, ABANDON leaves the resource in Google Cloud, DELETE deletes it. A connection
# has one more, which deletes more of it.
DELETION_POLICY: Final[Mapping[str, Rule]] = {
    "deletionPolicy": towards(
        less_safe("a deletion in the program deletes it in Google Cloud, too, or loses sight of it", _POLICY),
        *("PREVENT", "ABANDON", "DELETE", "REMOVE_PEERING"),
        unset="DELETE",
    )
}
DELETION: Final[Mapping[str, Rule]] = {
    **DELETION_POLICY,
    "deletionProtection": ends(less_safe("the provider no longer refuses to delete it", _POLICY), unset=True),
}
