"""APIs, identities and who may come in: what a change of each property does."""

import pytest

from event_store_infra.preview.effects.effect import HARMLESS, Severity
from event_store_infra.preview.effects.project import operations
from event_store_infra.preview.effects.project.operations import ACCOUNT, API
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from tests.event_store_infra.preview.effects.judged import check, told_of, untried

STOPS, LESS_SAFE = Severity.STOPS, Severity.LESS_SAFE
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"

ONE_WAY: list[tuple[str, str, object, object, Severity, str]] = [
    *(
        (kind, "deletionPolicy", "PREVENT", None, LESS_SAFE, "deletes it in Google Cloud")
        for kind in (API, ACCOUNT, ROLE, POOL, PROVIDER)
    ),
    (API, "disableOnDestroy", False, True, LESS_SAFE, "disabled in the whole project"),
    (ACCOUNT, "disabled", None, True, STOPS, "no token"),
    (ROLE, "stage", "GA", "DISABLED", STOPS, "permits nothing"),
    (POOL, "disabled", False, True, STOPS, "every workflow"),
    (PROVIDER, "disabled", False, True, STOPS, "every workflow"),
]
BOTH_WAYS: list[tuple[str, str, object, object, Severity, Severity, str]] = [
    *(
        (
            POOL,
            f"inlineTrustConfig.additionalTrustBundles[0].{path}",
            "a",
            "b",
            LESS_SAFE,
            LESS_SAFE,
            "trusted",
        )
        for path in ("trustAnchors[0].pemCertificate", "trustDefaultSharedCa", "trustDomain")
    ),
    *(
        (PROVIDER, f"x509.trustStore.{path}[0].pemCertificate", "a", "b", LESS_SAFE, LESS_SAFE, "trusted")
        for path in ("intermediateCas", "trustAnchors")
    ),
    (ROLE, "permissions", ["a.b.get", "a.b.list"], ["a.b.get"], STOPS, LESS_SAFE, "from `a.b.list`"),
    (ROLE, "permissions", ["a.b.get"], LATER, LESS_SAFE, LESS_SAFE, "nobody can tell"),
    (
        PROVIDER,
        "attributeMapping",
        {"a": "1", "b": "2"},
        {"a": "1"},
        STOPS,
        LESS_SAFE,
        "an attribute that goes",
    ),
    (PROVIDER, "attributeCondition", "a", "b", LESS_SAFE, LESS_SAFE, "another condition"),
    (PROVIDER, "attributeCondition", "a", None, LESS_SAFE, LESS_SAFE, "another condition"),
    (PROVIDER, "oidc.issuerUri", "a", "b", STOPS, STOPS, "every workflow"),
    (PROVIDER, "oidc.allowedAudiences", ["a", "b"], ["a"], STOPS, LESS_SAFE, "an audience that goes"),
    (PROVIDER, "oidc.jwksJson", "a", None, LESS_SAFE, LESS_SAFE, "other keys"),
    (PROVIDER, "saml.idpMetadataXml", "a", "b", LESS_SAFE, LESS_SAFE, "other keys"),
    (PROVIDER, "aws.accountId", "a", "b", STOPS, STOPS, "every workflow"),
    (POOL, "attestationRules[0].googleCloudResource", "a", "b", LESS_SAFE, LESS_SAFE, "attested"),
]


def test_each_line_is_tried() -> None:
    """A line of the tables that no case above changes is a line that could be wrong."""
    assert untried(operations.TABLES, [*ONE_WAY, *BOTH_WAYS]) == []


@pytest.mark.parametrize("case", ONE_WAY, ids=lambda case: f"{case[0].rpartition(':')[2]}.{case[1]}")
def test_one_direction_is_told(case: tuple[str, str, object, object, Severity, str]) -> None:
    """The change is told by what it does, and its way back is harmless."""
    check(case)


@pytest.mark.parametrize(("kind", "path", "old", "new", "there", "back", "words"), BOTH_WAYS)
def test_both_directions_are_told(  # a case is that many values
    *, kind: str, path: str, old: object, new: object, there: Severity, back: Severity, words: str
) -> None:
    """Whoever no longer gets in is stopped; whoever gets in from now on is one more to trust."""
    assert told_of(kind, path, old, new).severity == there
    assert told_of(kind, path, new, old).severity == back
    assert words in told_of(kind, path, old, new).what


@pytest.mark.parametrize(
    ("kind", "path", "old", "new"),
    [
        (ACCOUNT, "displayName", "a", "b"),
        (ACCOUNT, "createIgnoreAlreadyExists", None, True),
        (ROLE, "title", "a", "b"),
        (ROLE, "stage", "GA", "BETA"),
        (ROLE, "permissions", ["a", "b"], ["b", "a"]),
        (API, "disableDependentServices", None, False),
    ],
)
def test_what_changes_no_right_is_harmless(kind: str, path: str, old: object, new: object) -> None:
    """Names, descriptions and orders give nobody anything."""
    assert told_of(kind, path, old, new) == told_of(kind, path, new, old) == HARMLESS
