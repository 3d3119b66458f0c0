"""Rights: a type for everything that can be granted on, all with the same properties."""

import re
from collections.abc import Mapping
from typing import Any, Final

from event_store_infra.preview.effects.effect import HARMLESS, Effect, Effects, less_safe, loses, stops
from event_store_infra.preview.effects.rights.key_grants import undecryptable
from event_store_infra.preview.effects.rules import changes
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import Step

_MANAGE: Final = "https://docs.cloud.google.com/iam/docs/granting-changing-revoking-access"
_CONDITIONS: Final = "https://docs.cloud.google.com/iam/docs/conditions-overview"
_PUBLIC: Final = "https://docs.cloud.google.com/iam/docs/principals-overview"
_BASIC: Final = "https://docs.cloud.google.com/iam/docs/roles-overview"
_DEAD_LETTERS: Final = "https://docs.cloud.google.com/pubsub/docs/dead-letter-topics"
# https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_iam :
# both are authoritative, a policy of the whole resource and a binding of a role.
_OTHERS: Final = loses(
    "every grant that it does not name, of people, of other stacks and of Google's own agents",
    "grant by one `…IAMMember` for each member, which leaves the others alone.",
    "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_iam",
)


def _member(step: Step) -> Effect:
    """Tell who loses what; of one that comes back with another condition, what that condition does."""
    if (lost := undecryptable(step)) is not None:
        return lost
    member, role, on = (code(each) for each in (*_who(step.old), _on(step.old)))
    if step.op != "delete" and _who(step.old) == _who(step.new) and _on(step.old) == _on(step.new):
        condition = step.new.get("condition")
        if not condition:
            return less_safe(f"{member} has {role} on {on} without a condition", _CONDITIONS)
        return stops(
            f"{member} where another condition does not hold: it has {role} on {on} only there", _CONDITIONS
        )
    if _AGENT.fullmatch(_who(step.old)[0]) and (letters := _LETTERS.get((_kind(step), _who(step.old)[1]))):
        return stops(letters.format(on=on), _DEAD_LETTERS)
    return stops(f"{member}: it loses {role} on {on}", _MANAGE)


def _made(step: Step) -> Effect:
    """Tell of a grant to everybody, or of everything, as it is made."""
    member, role = _who(step.new)
    on = code(_on(step.new))
    if member in _EVERYBODY:
        return less_safe(f"{_EVERYBODY[member]} has {code(role)} on {on}", _PUBLIC)
    if role in _ANYTHING:
        return less_safe(
            f"{code(member)} may grant itself and others any right on {on}, by {code(role)}", _BASIC
        )
    if role in _IMPERSONATES and not _GOOGLE_S.search(member):
        return less_safe(f"{code(member)} may act as {on}, by {code(role)}", _IMPERSONATION)
    if role == "roles/editor" or role.lower().endswith("admin"):
        return less_safe(f"{code(member)} may change and delete what {on} has, by {code(role)}", _BASIC)
    return HARMLESS


def _kind(step: Step) -> str:
    return step.type.rpartition(":")[2].lower()


def _who(inputs: Mapping[str, Any]) -> tuple[str, str]:
    return str(inputs.get("member", "?")), str(inputs.get("role", "?"))


def _on(inputs: Mapping[str, Any]) -> str:
    """Return the last part of the name of what is granted on; the project where nothing else is named."""
    named = [str(inputs[each]) for each in _NAMES if inputs.get(each)]
    return (named or [str(inputs.get("project", "?"))])[0].rpartition("/")[2]


# Members that are many people at once: https://docs.cloud.google.com/iam/docs/principals-overview
_EVERYBODY: Final = {
    "allUsers": "everybody on the Internet",
    "allAuthenticatedUsers": "everybody with a Google account",
}
# Roles that grant, which is to have every right.
_ANYTHING: Final = frozenset(
    f"roles/{name}"
    for name in (
        *("owner", "iam.securityAdmin", "resourcemanager.projectIamAdmin"),
        *("resourcemanager.folderIamAdmin", "resourcemanager.organizationAdmin"),
    )
)
_IMPERSONATES: Final = frozenset(
    f"roles/iam.{name}"
    for name in ("serviceAccountTokenCreator", "serviceAccountUser", "workloadIdentityUser")
)
_IMPERSONATION: Final = "https://docs.cloud.google.com/iam/docs/service-account-impersonation"
_GOOGLE_S: Final = re.compile(r"@gcp-sa-[\w-]+\.iam\.gserviceaccount\.com$")  # agents of Google's products
# By what a grant names what it is on, the most exact first; none of them is a grant on the project.
_NAMES: Final = (
    *("subscription", "topic", "schema", "serviceAccountId", "cryptoKeyId", "keyRingId", "bucket", "tableId"),
    *("datasetId", "repository", "subnetwork", "secretId", "instance", "name"),
)
# https://docs.cloud.google.com/iam/docs/service-agents
_AGENT: Final = re.compile(r"serviceAccount:service-\d+@gcp-sa-pubsub\.iam\.gserviceaccount\.com")
# What Pub/Sub itself needs for dead letters. Without it no attempt is counted.
_LETTERS: Final = {
    ("topiciammember", "roles/pubsub.publisher"): (
        "dead letters to {on}: Pub/Sub may no longer publish there, and delivers what fails again and again, "
        "forever"
    ),
    ("subscriptioniammember", "roles/pubsub.subscriber"): (
        "dead letters from {on}: Pub/Sub may no longer take them out, and delivers what fails again and "
        "again, forever"
    ),
}


_NAMED: Final = loses(
    "every grant that it names, and of a policy all others, too",
    *("grant by one `…IAMMember` for each member before.", _OTHERS.source),
)
_AUTHORITATIVE: Final = Effects(gone=_NAMED, made=_OTHERS, properties={}, rest=changes(HARMLESS))
# Nothing of a grant changes in place: another member or role is another grant.
_MEMBER: Final = Effects(gone=_member, made=_made, properties={}, rest=changes(HARMLESS))

# By shell pattern, the first that fits.
PATTERNS: Final[Mapping[str, Effects]] = {
    "gcp:*IAMPolicy": _AUTHORITATIVE,
    "gcp:*IamPolicy": _AUTHORITATIVE,
    "gcp:*IAMBinding": _AUTHORITATIVE,
    "gcp:*IamBinding": _AUTHORITATIVE,
    "gcp:*:*IAMMember": _MEMBER,
    "gcp:*:*IamMember": _MEMBER,
}
