"""Rights on keys: who has one no longer cannot read any more what was encrypted with the key."""

from typing import Final

from infra.preview.effects.effect import Effect, loses
from infra.preview.markdown import code
from infra.preview.plan import Step

_KEYS: Final = "https://docs.cloud.google.com/pubsub/docs/encryption"
# https://docs.cloud.google.com/iam/docs/roles-permissions/cloudkms : those that decrypt.
_DECRYPT: Final = frozenset(
    f"roles/cloudkms.{name}"
    for name in (
        *("cryptoKeyEncrypterDecrypter", "cryptoKeyEncrypterDecrypterViaDelegation", "cryptoOperator"),
        *("cryptoKeyDecrypter", "cryptoKeyDecrypterViaDelegation"),
    )
)
# They get back by a grant what they lost by one. What an agent of Google has may have expired until then.
_PEOPLE: Final = ("user:", "group:", "domain:", "principal:", "principalSet:")
_NAMES: Final = ("cryptoKeyId", "keyRingId", "project", "folder", "orgId")


def undecryptable(step: Step) -> Effect | None:
    """Return what can no longer be decrypted as a grant goes; None if nothing depends on that grant.

    A right on all keys of a project is one on each of them, and nobody but its owner knows what a role of
    one's own may do with a key.
    """
    role, member = (str(step.old.get(each, "?")) for each in ("role", "member"))
    is_of_a_key = step.type.startswith("gcp:kms/") and not role.startswith("roles/")
    if not (role in _DECRYPT or is_of_a_key) or member.startswith(_PEOPLE) or _still_decrypts(step):
        return None
    place = next((code(str(step.old[each])) for each in _NAMES if step.old.get(each)), "the key")
    return loses(
        f"all that {code(member)} has encrypted with {place} and can no longer decrypt: messages, an "
        "instance, backups",
        "name the key as an earlier one until nothing is encrypted with it any more: `earlierKmsKeyNames` of "
        "the topic, `event-store:database.earlier_kms_keys`.",
        _KEYS,
    )


def _still_decrypts(step: Step) -> bool:
    """Tell whether a replacement only changes one role that decrypts for another one."""
    same = {**step.old, "role": step.new.get("role")} == step.new
    return same and step.new.get("role") in _DECRYPT
