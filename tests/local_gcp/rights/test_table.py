"""The one table of roles and permissions, and the one of what calls ask for."""

from pathlib import Path
from typing import Any

import pytest

from event_store_infra.identities import GRANTS, PREVIEWER_ROLE
from event_store_infra.managed import MANAGED, reading_permissions
from local_gcp.cloudrun import run_rules as run
from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble_empty
from local_gcp.pubsub_api import pubsub_rules as pubsub
from local_gcp.recorded import iam
from local_gcp.resource.errors import CloudError
from local_gcp.resource.place import Place
from local_gcp.resource.records import Records
from local_gcp.rights.asked import CALLS, CONFIGURE, LOOKED_UP, asked
from local_gcp.rights.callers import service_account
from local_gcp.rights.rights import Rights
from local_gcp.rights.roles import PERMISSIONS, ROLES
from pubsub_emulator.access import roles as pubsub_roles
from tests.event_store_infra.inventory.variants import KEY
from tools import ROOT

DATA = {pubsub_roles.PUBLISH, pubsub_roles.CONSUME}


def test_every_type_says_what_its_calls_ask_for(tmp_path: Path) -> None:
    """Each type of the local Google Cloud is in the table, and every permission there is one of a role."""
    kinds = assemble_empty(State(tmp_path), ROOT / "infra").cloud._kinds
    permissions = {
        permission
        for calls in CALLS.values()
        for permission in (*calls.create, *calls.read, *calls.update, *calls.delete)
    }
    looked_up = {permission for each in LOOKED_UP.values() for permission in each}

    assert kinds.keys() == CALLS.keys()
    assert sorted((permissions | looked_up | {*CONFIGURE}) - PERMISSIONS) == []


def test_an_unknown_type_role_or_permission_is_refused_with_where_to_add_it() -> None:
    """Nothing passes for want of knowledge: the message names the file."""
    rights = Rights(Records(None), "audit")

    with pytest.raises(
        CloudError, match=r"gcp:x/y:Y ask for is not known: add it to local_gcp/rights/asked\.py"
    ):
        list(asked("create", "gcp:x/y:Y", "y", {}, Records(None).place))
    with pytest.raises(CloudError, match=r"no permission run\.workerPools\.get: add it .*rights/roles\.py"):
        rights.check(service_account("a@p.iam.gserviceaccount.com"), "run.workerPools.get", "projects/p")
    problem = iam.MEMBER["role"].problem("roles/pubsub.Publisher")
    assert problem is not None
    assert "add it to local_gcp/rights/roles.py" in problem


@pytest.mark.parametrize("role", sorted(pubsub_roles.GRANTABLE))
def test_pubsub_has_the_roles_of_the_table(role: str) -> None:
    """What the embedded Pub/Sub lets a role do is what the table says, but for the basic roles."""
    if role.startswith("roles/pubsub."):
        assert pubsub_roles.GRANTABLE[role] == ROLES[role] & DATA
    ours = {each for each in PERMISSIONS if each.startswith("pubsub.")}
    assert ours <= frozenset().union(*pubsub_roles.PERMISSIONS.values())


@pytest.mark.parametrize("kind", sorted(MANAGED))
def test_who_makes_and_reads_a_type_has_the_rights_for_it(kind: str) -> None:
    """The deployer's role permits all calls of its type, and the previewer's own role all reads."""
    calls, managed = CALLS[f"gcp:{kind}"], MANAGED[kind]
    made = {*calls.create, *calls.read, *calls.update, *calls.delete}

    assert {*calls.read} <= {*reading_permissions()}
    if managed.made_with:
        assert made <= ROLES[managed.made_with]


def test_no_role_of_a_stack_is_unknown() -> None:
    """Every role that `infra` grants is in the table."""
    assert {each.role for each in GRANTS} - ROLES.keys() == {PREVIEWER_ROLE}


SUBSCRIPTION = {"topic": "words", "name": "archive", "project": "p-1"}
TEMPLATE = {
    "serviceAccount": "runtime@p-1.iam.gserviceaccount.com",
    "containers": [{"image": f"europe-docker.pkg.dev/p-2/images/store@sha256:{'a' * 64}"}],
    "vpcAccess": {"networkInterfaces": [{"subnetwork": "projects/p-3/regions/europe-west1/subnetworks/s"}]},
}
PULL = "artifactregistry.repositories.downloadArtifacts"
IMAGES = "projects/p-2/locations/europe/repositories/images"


@pytest.mark.parametrize(
    ("kind", "inputs", "others"),
    [
        (
            run.SERVICE.type,
            {"name": "store", "location": "europe-west1", "project": "p-1", "template": TEMPLATE},
            {
                (
                    "iam.serviceAccounts.actAs",
                    "projects/p-1/serviceAccounts/runtime@p-1.iam.gserviceaccount.com",
                    "",
                ),
                (PULL, IMAGES, ""),
                (PULL, IMAGES, "run"),
                ("compute.subnetworks.use", "projects/p-3/regions/europe-west1/subnetworks/s", "run"),
            },
        ),
        (
            pubsub.SUBSCRIPTION.type,
            {
                **SUBSCRIPTION,
                "pushConfig": {"oidcToken": {"serviceAccountEmail": "push@p-1.iam.gserviceaccount.com"}},
            },
            {
                ("pubsub.topics.attachSubscription", "projects/p-1/topics/words", ""),
                (
                    "iam.serviceAccounts.actAs",
                    "projects/p-1/serviceAccounts/push@p-1.iam.gserviceaccount.com",
                    "",
                ),
            },
        ),
        (
            pubsub.SUBSCRIPTION.type,
            {**SUBSCRIPTION, "bigqueryConfig": {"table": "house.events.words"}},
            {
                ("pubsub.topics.attachSubscription", "projects/p-1/topics/words", ""),
                ("bigquery.tables.get", "projects/house/datasets/events/tables/words", "pubsub"),
                ("bigquery.tables.updateData", "projects/house/datasets/events/tables/words", "pubsub"),
            },
        ),
        (
            pubsub.SUBSCRIPTION.type,
            {**SUBSCRIPTION, "cloudStorageConfig": {"bucket": "archive"}},
            {
                ("pubsub.topics.attachSubscription", "projects/p-1/topics/words", ""),
                ("storage.buckets.get", "projects/_/buckets/archive", "pubsub"),
                ("storage.objects.create", "projects/_/buckets/archive", "pubsub"),
            },
        ),
        (
            pubsub.TOPIC.type,
            {"name": "words", "project": "p-1", "kmsKeyName": KEY},
            {
                ("cloudkms.cryptoKeyVersions.useToEncrypt", KEY, "pubsub"),
                ("cloudkms.cryptoKeyVersions.useToDecrypt", KEY, "pubsub"),
            },
        ),
    ],
)
def test_making_a_thing_asks_for_rights_on_others(
    kind: str, inputs: dict[str, Any], others: set[tuple[str, str, str]]
) -> None:
    """Of the caller, and of the service agents that read, write and encrypt for it."""
    own = "projects/p-1/it"
    asks = [*asked("create", kind, own, inputs, Place("p-1", "europe-west1"))]

    found = {
        (ask.permission, ask.resource, ask.agent) for ask in asks if ask.resource not in {own, "projects/p-1"}
    }
    assert found == others
    assert all(permission in PERMISSIONS for permission, _, _ in others)
