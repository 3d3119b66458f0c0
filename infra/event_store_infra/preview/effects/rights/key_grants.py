"""Rights on keys: who has one no longer cannot read any more what was encrypted with the key."""

from typing import Final

from event_store_infra.preview.effects.effect import Effect, loses
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import Step

_DOCS: Final = "https://docs.cloud.google.com"
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
_TOPICS: Final = "`earlierKmsKeyNames` of the topic"
_DATABASES: Final = "`event-store:database.earlier_kms_keys`"
# By Google's agents, what each encrypts, and where an earlier key is named:
# https://docs.cloud.google.com/iam/docs/service-agents
_HELD: Final = {
    "gcp-sa-pubsub": ("the messages that topics still retain", _TOPICS, f"{_DOCS}/pubsub/docs/encryption"),
    "gcp-sa-cloud-sql": ("instances, which stop, and backups", _DATABASES, f"{_DOCS}/sql/docs/postgres/cmek"),
    "gcp-sa-alloydb": ("clusters, which stop, and backups", _DATABASES, f"{_DOCS}/alloydb/docs/cmek"),
}
_ANY: Final = ("messages, an instance, backups", f"{_TOPICS} or {_DATABASES}", f"{_DOCS}/kms/docs/cmek")


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
    key = code(str(step.old["cryptoKeyId"])) if step.old.get("cryptoKeyId") else "the key"
    held, setting, source = next((said for agent, said in _HELD.items() if f"@{agent}." in member), _ANY)
    is_same_key = {each: step.new.get(each) for each in _NAMES} == {
        each: step.old.get(each) for each in _NAMES
    }
    keep = f"keep the grant on {key}" if is_same_key else f"add {key} to {setting}, which keeps the grant,"
    return loses(
        f"what was encrypted with {place}, which {code(member)} could no longer decrypt: {held}",
        f"{keep} until nothing is encrypted with it any more.",
        source,
    )


def _still_decrypts(step: Step) -> bool:
    """Tell whether a replacement only changes one role that decrypts for another one."""
    same = {**step.old, "role": step.new.get("role")} == step.new
    return same and step.new.get("role") in _DECRYPT
