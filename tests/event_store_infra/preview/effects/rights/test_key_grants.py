"""A grant on a key holds what is encrypted with it; any other one only lets its member do something."""

import json
from typing import Any

import pytest

from event_store_infra.preview.effects.effect import Severity
from event_store_infra.preview.judging.guard import Verdict, judge
from event_store_infra.preview.plan.plan import Plan

KEY_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
RING_MEMBER = "gcp:kms/keyRingIAMMember:KeyRingIAMMember"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
AGENT = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
BOTH = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
DECRYPTS = "roles/cloudkms.cryptoKeyDecrypter"
ENCRYPTS = "roles/cloudkms.cryptoKeyEncrypter"
TOPICS, DATABASES = "`earlierKmsKeyNames`", "`event-store:database.earlier_kms_keys`"
GRANT = {"cryptoKeyId": KEY, "role": BOTH, "member": AGENT}


def _judge(
    op: str, old: dict[str, Any], new: dict[str, Any] | None = None, kind: str = KEY_MEMBER
) -> Verdict:
    step = {
        "op": op,
        "urn": f"urn:pulumi:prod::event-store::{kind}::grant",
        "oldState": {"custom": True, "type": kind, "id": "grant", "inputs": old, "outputs": old},
        **({"newState": {"custom": True, "type": kind, "inputs": new}} if new is not None else {}),
    }
    return judge(Plan.parse(json.dumps({"steps": [step], "changeSummary": {op: 1}})))


@pytest.mark.parametrize("role", [BOTH, DECRYPTS, "roles/cloudkms.cryptoOperator", "projects/p/roles/own"])
def test_the_end_of_a_grant_to_decrypt_loses_what_is_encrypted(role: str) -> None:
    """It is refused, and says who can no longer read by which key, and how to keep the grant."""
    (refused,) = _judge("delete", {**GRANT, "role": role}).refused

    assert refused.effect.severity == Severity.LOSES
    assert f"encrypted with `{KEY}`, which `{AGENT}` could no longer decrypt" in refused.effect.what
    assert refused.effect.what.endswith("could no longer decrypt: the messages that topics still retain")


@pytest.mark.parametrize(
    ("agent", "held", "keys"),
    [
        ("gcp-sa-pubsub", "messages", {TOPICS}),
        ("gcp-sa-cloud-sql", "instances, which stop, and backups", {DATABASES}),
        ("gcp-sa-alloydb", "clusters, which stop, and backups", {DATABASES}),
        ("gs-project-accounts", "messages, an instance, backups", {TOPICS, DATABASES}),
    ],
)
def test_it_says_what_the_agent_holds_and_where_to_name_the_key(
    agent: str, held: str, keys: set[str]
) -> None:
    """Each agent of Google by what it encrypts; of any other member, all that it may be."""
    member = f"serviceAccount:service-1@{agent}.iam.gserviceaccount.com"
    (refused,) = _judge("delete", {**GRANT, "member": member}).refused

    assert held in refused.effect.what
    assert {each for each in (TOPICS, DATABASES) if each in refused.effect.instead} == keys


@pytest.mark.parametrize(
    ("kind", "place"),
    [(RING_MEMBER, {"keyRingId": "projects/p/locations/l/keyRings/r"}), (PROJECT_MEMBER, {"project": "p"})],
)
def test_a_grant_on_all_keys_of_a_place_is_one_on_each(kind: str, place: dict[str, str]) -> None:
    """A role that decrypts counts wherever it is granted."""
    (refused,) = _judge("delete", {**place, "role": BOTH, "member": AGENT}, kind=kind).refused

    assert f"encrypted with `{next(iter(place.values()))}`" in refused.effect.what


@pytest.mark.parametrize(
    "changes",
    [
        {"cryptoKeyId": f"{KEY}2"},
        {"member": "serviceAccount:other@p.iam.gserviceaccount.com"},
        {"role": ENCRYPTS},
        {"condition": {"title": "until 2030", "expression": "false"}},
        {"condition": {}, "role": DECRYPTS},
    ],
)
def test_another_grant_in_its_place_loses_it_too(changes: dict[str, Any]) -> None:
    """Of another key or member, of a role that does not decrypt, or on a condition."""
    assert _judge("replace", GRANT, {**GRANT, **changes}).refused


def test_another_role_that_decrypts_loses_nothing() -> None:
    """The member reads on; that it no longer encrypts is named."""
    verdict = _judge("replace", GRANT, {**GRANT, "role": DECRYPTS})

    assert verdict.passes
    assert [(each.effect.severity, each.effect.what) for each in verdict.notes] == [
        (Severity.STOPS, f"`{AGENT}`: it loses `{BOTH}` on `k`")
    ]


@pytest.mark.parametrize("role", [ENCRYPTS, "roles/cloudkms.viewer", "roles/cloudkms.admin"])
def test_a_role_that_does_not_decrypt_holds_nothing(role: str) -> None:
    """Its end stops its member and loses nothing."""
    verdict = _judge("delete", {**GRANT, "role": role})

    assert verdict.passes
    assert [each.effect.severity for each in verdict.notes] == [Severity.STOPS]


@pytest.mark.parametrize("member", ["user:a@b.example", "group:a@b.example", "principal://iam/x"])
def test_people_get_it_back_by_a_grant(member: str) -> None:
    """What a person can no longer decrypt is still there when the grant is."""
    verdict = _judge("delete", {**GRANT, "member": member})

    assert verdict.passes
    assert [each.effect.severity for each in verdict.notes] == [Severity.STOPS]


def test_any_other_role_of_a_project_stops_its_member() -> None:
    """An update gives it back."""
    verdict = _judge(
        "delete", {"project": "p", "role": "projects/p/roles/own", "member": AGENT}, kind=PROJECT_MEMBER
    )

    assert verdict.passes
    assert "it loses `projects/p/roles/own` on `p`" in verdict.notes[0].effect.what
