"""What keeps the provider from deleting a resource: a property that nearly every type has."""

from typing import Final

from infra.preview.effects.effect import Rule, less_safe
from infra.preview.effects.rules import parts_from

# PREVENT refuses a deletion, and ABANDON leaves the resource where it is.
DELETION_POLICY: Final[Rule] = parts_from(
    less_safe(
        "its deletion is no longer refused by the provider, or left out",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/pubsub_topic",
    ),
    "PREVENT",
    "ABANDON",
)
