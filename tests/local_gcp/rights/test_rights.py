"""Calls are judged by the grants that stand, on the resource and on what it is part of."""

from typing import Any

import pytest

from event_store_infra.identities import grants_of
from local_gcp.pubsub_api import pubsub_rules as pubsub
from local_gcp.recorded import federation, iam, registry
from local_gcp.resource.errors import CloudError
from local_gcp.resource.place import Place
from local_gcp.resource.records import Record, Records
from local_gcp.rights.callers import OWNER, Tokens, service_account
from local_gcp.rights.issuer import Issuer
from local_gcp.rights.rights import DeniedError, Rights

ACCOUNT = "runtime@p-1.iam.gserviceaccount.com"
CALLER = service_account(ACCOUNT)
TOPIC = "projects/p-1/topics/words"
PUBLISH = "pubsub.topics.publish"


def _records(*grants: tuple[str, dict[str, Any]]) -> Records:
    records = Records(None)
    records.place = Place("p-1", "europe-west1")
    for number, (kind, inputs) in enumerate(grants):
        full = {"member": f"serviceAccount:{ACCOUNT}", **inputs}
        records.put(Record(type=kind, id=str(number), urn="", inputs=full, outputs=full))
    return records


def _rights(*grants: tuple[str, dict[str, Any]]) -> Rights:
    return Rights(_records(*grants), "enforce")


@pytest.mark.parametrize(
    ("kind", "inputs", "permission", "resource"),
    [
        (
            pubsub.TOPIC_IAM_MEMBER.type,
            {"topic": "words", "role": "roles/pubsub.publisher"},
            PUBLISH,
            TOPIC,
        ),
        (
            pubsub.TOPIC_IAM_MEMBER.type,
            {"topic": TOPIC, "role": "roles/pubsub.publisher"},
            PUBLISH,
            TOPIC,
        ),
        (iam.PROJECT_IAM_MEMBER.type, {"role": "roles/pubsub.publisher"}, PUBLISH, TOPIC),
        (
            iam.ACCOUNT_IAM_MEMBER.type,
            {
                "serviceAccountId": "projects/-/serviceAccounts/a@p-2.iam.gserviceaccount.com",
                "role": "roles/iam.serviceAccountUser",
            },
            "iam.serviceAccounts.actAs",
            "projects/p-2/serviceAccounts/a@p-2.iam.gserviceaccount.com",
        ),
        (
            registry.REPOSITORY_IAM_MEMBER.type,
            {
                "project": "p-2",
                "location": "europe",
                "repository": "images",
                "role": "roles/artifactregistry.reader",
            },
            "artifactregistry.repositories.downloadArtifacts",
            "projects/p-2/locations/europe/repositories/images",
        ),
    ],
)
def test_a_grant_holds_on_its_resource_and_below(
    kind: str, inputs: dict[str, Any], permission: str, resource: str
) -> None:
    """With the grant the call passes; without it, as another account, and elsewhere it is refused."""
    rights = _rights((kind, inputs))
    rights.check(CALLER, permission, resource)

    with pytest.raises(DeniedError, match=f"Error 403: Permission '{permission}' denied on resource"):
        _rights().check(CALLER, permission, resource)
    assert not rights.allows(service_account("b@p-1.iam.gserviceaccount.com"), permission, resource)
    assert not rights.allows(CALLER, permission, resource.replace("projects/p-", "projects/q-"))


def test_a_refusal_names_the_caller_and_the_role_that_would_do() -> None:
    """Whoever reads it knows what to grant to whom on what."""
    with pytest.raises(DeniedError) as refused:
        _rights().check(CALLER, PUBLISH, TOPIC)

    assert f"serviceAccount:{ACCOUNT} lacks it: roles/pubsub.publisher would do" in str(refused.value)
    assert f"'{TOPIC}'" in str(refused.value)


def test_an_audit_lets_a_call_pass_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    """On a laptop nothing is refused, and the log has what Google would say."""
    Rights(_records(), "audit").check(CALLER, PUBLISH, TOPIC)

    (warning,) = caplog.messages
    assert "Permission 'pubsub.topics.publish' denied" in warning
    assert "roles/pubsub.publisher would do" in warning


def test_a_subscriber_may_not_look_at_its_subscription() -> None:
    """Google's role to subscribe consumes, and has no right to get the subscription."""
    subscription = "projects/p-1/subscriptions/words"
    grant = {"subscription": "words", "role": "roles/pubsub.subscriber"}
    rights = _rights((pubsub.SUBSCRIPTION_IAM_MEMBER.type, grant))

    assert rights.allows(CALLER, "pubsub.subscriptions.consume", subscription)
    assert not rights.allows(CALLER, "pubsub.subscriptions.get", subscription)


def test_a_service_agent_has_its_role_in_its_own_project_only() -> None:
    """Cloud Run pulls images of its project without a grant, and no other's."""
    agent = service_account(Place("p-1").service_agent("run"))
    pull = "artifactregistry.repositories.downloadArtifacts"

    assert _rights().allows(agent, pull, "projects/p-1/locations/europe/repositories/images")
    assert not _rights().allows(agent, pull, "projects/p-2/locations/europe/repositories/images")


def test_a_condition_narrows_a_grant() -> None:
    """The previewer writes its stack's locks and nothing else of the state."""
    (locks,) = (each for each in grants_of("previewer") if each.condition)
    condition = {"expression": locks.narrowed(bucket="state", program="event-store", stack="prod")}
    grant = {"bucket": "state", "role": locks.role, "condition": condition}
    rights = _rights((iam.BUCKET_IAM_MEMBER.type, grant))
    objects = "projects/_/buckets/state/objects/.pulumi"
    locks_of_prod = "locks/organization/event-store/prod"

    assert rights.allows(CALLER, "storage.objects.create", f"{objects}/{locks_of_prod}/1.json")
    assert not rights.allows(CALLER, "storage.objects.create", f"{objects}/stacks/prod.json")


def test_who_may_grant_some_roles_may_grant_no_other() -> None:
    """A right to write the project's policy is narrowed by the roles that a call modifies."""
    expression = (
        "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', [])"
        ".hasOnly(['roles/cloudsql.instanceUser', 'roles/alloydb.databaseUser'])"
    )
    grant = {"role": "roles/resourcemanager.projectIamAdmin", "condition": {"expression": expression}}
    rights = _rights((iam.PROJECT_IAM_MEMBER.type, grant))
    write, login = "resourcemanager.projects.setIamPolicy", "roles/cloudsql.instanceUser"

    assert rights.allows(CALLER, write, "projects/p-1", modified_roles=[login])
    assert not rights.allows(CALLER, write, "projects/p-1", modified_roles=["roles/run.admin"])
    assert not rights.allows(CALLER, write, "projects/p-1", modified_roles=[login, "roles/run.admin"])


@pytest.mark.parametrize(
    "expression", ["resource.nome == 'a'", "nobody.knows()", "request.time <", "resource.name.matches("]
)
def test_a_condition_that_cannot_be_evaluated_is_refused(expression: str) -> None:
    """It is no silent yes or no: the message has the expression, and where to add what is missing."""
    rights = _rights(
        (iam.PROJECT_IAM_MEMBER.type, {"role": "roles/run.admin", "condition": {"expression": expression}})
    )

    with pytest.raises(CloudError, match=r"(?s)cannot be evaluated.*local_gcp/rights/cel\.py"):
        rights.check(CALLER, "run.services.get", "projects/p-1")


def test_the_owner_may_do_everything() -> None:
    """A person at this machine is not held up."""
    _rights().check(OWNER, PUBLISH, TOPIC)


def test_a_token_is_known_by_its_signature() -> None:
    """An account's token says who calls; any other is refused."""
    tokens = Tokens("secret")
    token = tokens.of_account(ACCOUNT)

    assert tokens.caller(token) == CALLER
    assert token == Tokens("secret").of_account(ACCOUNT)
    forged = Tokens("another").of_account(ACCOUNT)
    other = tokens.of_account("b@p-1.iam.gserviceaccount.com").split(".")
    signature = token.rpartition(".")[2]
    for wrong in ("", "ya29.x", forged, ".".join([*other[:2], signature]), f"{token}0", "local.é.x"):
        with pytest.raises(CloudError, match="Error 401"):
            tokens.caller(wrong)


POOL = "projects/1/locations/global/workloadIdentityPools/github"
PROVIDER = f"{POOL}/providers/repository"
CLAIMS = {"sub": "repo:t@1/s@2:ref:x", "repository_id": "2", "event_name": "push", "ref": "refs/heads/main"}


def _issuer(member: str) -> Issuer:
    grant = {"serviceAccountId": ACCOUNT, "role": "roles/iam.workloadIdentityUser", "member": member}
    records = _records((iam.ACCOUNT_IAM_MEMBER.type, grant))
    inputs = {
        "attributeCondition": "assertion.repository_id == '2'",
        "attributeMapping": {
            "google.subject": "assertion.repository_id + ':' + assertion.event_name",
            "attribute.ref": "has(assertion.ref) ? assertion.ref : ''",
        },
    }
    records.put(
        Record(type=federation.PROVIDER.type, id="p", urn="", inputs=inputs, outputs={"name": PROVIDER})
    )
    return Issuer(records, Rights(records, "enforce"), Tokens("secret"))


@pytest.mark.parametrize("by", ["subject/2:push", "attribute.ref/refs/heads/main", "*"])
def test_a_workload_gets_the_token_of_an_account_that_it_may_be(by: str) -> None:
    """Condition and mapping are evaluated on its claims, and the account's grant names what comes out."""
    kind = "principal" if by.startswith("subject") else "principalSet"
    issuer = _issuer(f"{kind}://iam.googleapis.com/{POOL}/{by}")

    assert Tokens("secret").caller(issuer.access_token(PROVIDER, CLAIMS, ACCOUNT)) == CALLER


def test_a_workload_gets_no_other_token() -> None:
    """Claims that the condition refuses, that map to somebody else, or of another provider are refused."""
    issuer = _issuer(f"principal://iam.googleapis.com/{POOL}/subject/2:push")

    with pytest.raises(CloudError, match="rejected by the attribute condition"):
        issuer.access_token(PROVIDER, CLAIMS | {"repository_id": "3"}, ACCOUNT)
    with pytest.raises(DeniedError, match=r"iam\.serviceAccounts\.getAccessToken.*subject/2:pull_request"):
        issuer.access_token(PROVIDER, CLAIMS | {"event_name": "pull_request"}, ACCOUNT)
    with pytest.raises(CloudError, match="no identity provider"):
        issuer.access_token(f"{POOL}/providers/other", CLAIMS, ACCOUNT)
    with pytest.raises(CloudError, match="must be 1 to 127"):
        issuer.access_token(PROVIDER, CLAIMS | {"event_name": "x" * 126}, ACCOUNT)
