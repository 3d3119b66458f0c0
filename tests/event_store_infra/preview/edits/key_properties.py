"""Edits of who may use a key, and of what is encrypted with one."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.bases import KEYS
from tests.event_store_infra.preview.edits.edit import Edit, Patch

_KEYED: Final = "topics.keyed-events"
_GRANT: Final = "bus-key-security.europe-west1.events.topics"
_DATABASE_S: Final = "database-key-security.europe-west1.events.log"
_TO_THE_AGENT: Final = """member=self._identity.member,
                opts=self._opts,
            )
        return [self._keys"""
_TO_ANOTHER: Final = _TO_THE_AGENT.replace(
    "self._identity.member", '"serviceAccount:service-2@gcp-sa-pubsub.iam.gserviceaccount.com"'
)
_ROLE: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


def _edit(name: str, **what: Any) -> Edit:
    return Edit(name=name, **{"base": "prod-unprotected", **what})


EDITS: Final = (
    _edit(
        "rotate-a-topic-to-another-key",
        topology={
            f"{_KEYED}.kmsKeyName": f"{KEYS}/other",
            f"{_KEYED}.earlierKmsKeyNames": [f"{KEYS}/topics"],
        },
        headline="loses no data",
    ),
    _edit(
        "let-pub-sub-administer-a-key-and-not-use-it",
        program=(Patch("components/bus/agent.py", _ROLE, "roles/cloudkms.admin"),),
        headline="refused, 1 change would lose data",
        refused={("replace", _GRANT)},
        says=("could no longer decrypt", "instead: keep the grant on `projects/security/"),
    ),
    _edit(
        "let-pub-sub-only-decrypt",
        program=(Patch("components/bus/agent.py", _ROLE, "roles/cloudkms.cryptoKeyDecrypter"),),
        headline="loses no data, but stops `serviceAccount:service-",
        says=("it loses `roles/cloudkms.cryptoKeyEncrypterDecrypter` on `topics`",),
    ),
    _edit(
        "let-another-agent-use-a-topic-s-key",
        program=(Patch("components/bus/agent.py", _TO_THE_AGENT, _TO_ANOTHER),),
        headline="refused, 1 change would lose data",
        refused={("replace", _GRANT)},
    ),
    _edit(
        "let-the-cluster-s-agent-administer-the-key-and-not-use-it",
        base="alloydb-unprotected",
        program=(Patch("components/database/encryption.py", _ROLE, "roles/cloudkms.admin"),),
        headline="refused, 1 change would lose data",
        refused={("replace", _DATABASE_S)},
        says=("clusters, which stop",),
    ),
)
