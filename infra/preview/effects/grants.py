"""Rights: a type for everything that can be granted on, all with the same properties."""

from collections.abc import Mapping
from typing import Final

from infra.preview.effects.effect import HARMLESS, Effect, Effects, loses, stops
from infra.preview.effects.rules import changes
from infra.preview.markdown import code
from infra.preview.plan import Step

_MANAGE: Final = "https://docs.cloud.google.com/iam/docs/granting-changing-revoking-access"
_KEYS: Final = "https://docs.cloud.google.com/pubsub/docs/encryption"
# https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_iam :
# both are authoritative, a policy of the whole resource and a binding of a role.
_OTHERS: Final = loses(
    "every grant that it does not name, of people, of other stacks and of Google's own agents",
    "grant by one `…IAMMember` for each member, which leaves the others alone.",
    "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_iam",
)


def _member(step: Step) -> Effect:
    member, role = (code(str(step.old.get(name, "?"))) for name in ("member", "role"))
    return stops(f"{member}, which is no longer {role} there", _MANAGE)


def _key_member(step: Step) -> Effect:
    member = code(str(step.old.get("member", "?")))
    return loses(
        f"all that {member} has encrypted with the key and can no longer decrypt: messages, an instance, "
        "backups",
        "name the key as an earlier one until nothing is encrypted with it any more: `earlierKmsKeyNames` of "
        "the topic, `event-store:database.earlier_kms_keys`.",
        _KEYS,
    )


_AUTHORITATIVE: Final = Effects(gone=_OTHERS, made=_OTHERS, properties={}, rest=changes(HARMLESS))
# Nothing of a grant changes in place: another member or role is another grant.
_MEMBER: Final = Effects(gone=_member, properties={}, rest=changes(HARMLESS))

# By shell pattern, the first that fits.
PATTERNS: Final[Mapping[str, Effects]] = {
    "gcp:*IAMPolicy": _AUTHORITATIVE,
    "gcp:*IamPolicy": _AUTHORITATIVE,
    "gcp:*IAMBinding": _AUTHORITATIVE,
    "gcp:*IamBinding": _AUTHORITATIVE,
    "gcp:kms/*IAMMember": Effects(gone=_key_member, properties={}, rest=changes(HARMLESS)),
    "gcp:*:*IAMMember": _MEMBER,
    "gcp:*:*IamMember": _MEMBER,
    # A zone and its records are made again from the program, but nobody finds anything by them until then.
    "gcp:dns/*": Effects(
        gone=stops("whoever looks up its names", "https://docs.cloud.google.com/dns/docs/zones"),
        properties={},
        rest=changes(HARMLESS),
    ),
}
