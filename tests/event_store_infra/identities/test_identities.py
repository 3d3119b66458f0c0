"""The one table of identities and roles is what the programs really grant, no more and no less."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from event_store_infra.identities import (
    ACCOUNT,
    ACCOUNTS,
    GRANTS,
    IDENTITIES,
    LOGIN_ROLES,
    PREVIEWER_ROLE,
    PROJECT,
    REPOSITORY,
    SERVICE,
    SUBSCRIPTION,
    TOPIC,
    grants_of,
    page,
)
from event_store_infra.managed import MANAGED, reading_permissions
from tests.event_store_infra.engine import Engine, Preview
from tests.event_store_infra.inventory import FOLDER, STACKS
from tests.event_store_infra.inventory.variants import (
    BOOTSTRAP,
    DELIVERED,
    DEPLOYER,
    INVOKER,
    KEY,
    ON_ALLOYDB,
    WHOLE,
    file_of_prod,
)
from tools import ROOT

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
CONSUMER = "serviceAccount:projection@words.iam.gserviceaccount.com"  # of the topology that says everything
# Who a grant is to, by the account or service agent in the program that it names.
OWNERS = {
    "accounts-agent-pubsub": "Pub/Sub",
    "accounts-migrator": "migrator",
    "accounts-relay": "relay",
    "accounts-runtime": "runtime",
    "bus-agent": "Pub/Sub",
    "bus-push": "push",
    "delivery-deployer": "deployer",
    "delivery-previewer": "previewer",
    "event-store-account": "runtime",
    "image-agent": "Cloud Run",
    "migrations-account": "migrator",
    "relay-account": "relay",
}
AGENTS = {"event-store:infra:Database": "Cloud SQL", "event-store:infra:AlloyDB": "AlloyDB"}
OUTSIDE = {
    INVOKER: "invoker",
    CONSUMER: "consumer",
    f"serviceAccount:{DEPLOYER}": "deployer",
    **{
        f"serviceAccount:event-store-{each}@event-store-prod.iam.gserviceaccount.com": each
        for each in ACCOUNTS
    },
}


def _identity(name: str, state: Mapping[str, Any]) -> str:
    origins = [urn.rpartition("::")[2] for urn in state["propertyDependencies"].get("member") or []]
    if origins == ["database-agent"]:
        return AGENTS[state["parent"].split("::")[-2].rpartition("$")[2]]
    if origins == ["delivery-pool"]:
        return f"workflow {name.rpartition('-')[2]}"
    return OWNERS[origins[0]] if origins else OUTSIDE[state["inputs"]["member"]]


def _granted(preview: Preview) -> set[tuple[str, str, str, bool]]:
    """Return identity, role, kind and whether it is conditional of every grant in a plan."""
    assert preview.code == 0, preview.text
    grants = set()
    for name, state in preview.states.items():
        if state["type"].lower().endswith("iammember"):
            role = state["inputs"]["role"]
            grants.add(
                (
                    _identity(name, state),
                    PREVIEWER_ROLE if role == UNKNOWN else role,
                    state["type"].removeprefix("gcp:"),
                    "condition" in state["inputs"],
                )
            )
    return grants


def _tabled(*identities: str, but: str = "") -> set[tuple[str, str, str, bool]]:
    return {
        (each.identity, each.role, each.kind, bool(each.condition))
        for each in grants_of(*identities)
        if each.kind != but
    }


@pytest.mark.parametrize(
    ("relay", "pool", "absent"),
    [
        ("service", (), ()),
        ("worker-pool", ("relay",), (("runtime", "roles/pubsub.publisher", TOPIC, False),)),
    ],
)
async def test_a_stack_grants_what_the_table_says(
    engine: Engine, relay: str, pool: tuple[str, ...], absent: tuple[tuple[str, str, str, bool], ...]
) -> None:
    """A stack with all that grants anything makes exactly the grants of its own identities; one relays."""
    changes = WHOLE | {"event-store:service": {"invokers": [INVOKER], "relay": relay}}
    preview = await engine.preview("prod", config=file_of_prod(changes))
    on_alloydb = await engine.preview("prod", config=file_of_prod(changes | ON_ALLOYDB))
    waits = {
        name: {urn.rpartition("::")[2] for urn in preview.states[name]["dependencies"]}
        for name in ("migrations-job", "event-store-service")
    }

    tabled = _tabled(
        *(
            "migrator",
            "runtime",
            "Pub/Sub",
            "Cloud SQL",
            "AlloyDB",
            "Cloud Run",
            "push",
            "consumer",
            "invoker",
        ),
        *pool,
    )
    assert _granted(preview) | _granted(on_alloydb) == tabled - set(absent)
    assert not [each for each in _granted(on_alloydb) if "cloudsql" in each[1]]
    assert not [each for each in _granted(preview) if "alloydb" in each[1]]
    instance = preview.states["database-instance"]
    assert instance["inputs"]["encryptionKeyName"] == KEY
    assert "database-key-keys.europe-west1.store.log" in {
        urn.rpartition("::")[2] for urn in instance["dependencies"]
    }
    assert "image-reader" in waits["migrations-job"]
    assert "image-reader" in waits["event-store-service"]


async def test_a_stack_that_ci_deploys_grants_on_what_it_makes_alone(engine: Engine) -> None:
    """The deployer may neither make an account nor grant on the project or on what others own."""
    made = {TOPIC, SUBSCRIPTION, SERVICE}
    preview = await engine.preview("prod", config=file_of_prod(WHOLE | DELIVERED))
    on_alloydb = await engine.preview("prod", config=file_of_prod(WHOLE | DELIVERED | ON_ALLOYDB))
    tabled = _tabled("relay", "Pub/Sub", "push", "consumer", "invoker")

    assert _granted(preview) == _granted(on_alloydb) == {each for each in tabled if each[2] in made}
    assert not [each for each in preview.states.values() if "serviceaccount" in each["type"]]
    job = str(preview.states["migrations-job"]["inputs"])
    assert "event-store-migrator@event-store-prod.iam.gserviceaccount.com" in job


async def test_the_bootstrap_grants_what_the_table_says(engine: Engine) -> None:
    """Deployer, previewer and the workflows that may be them have the roles of the table and no other."""
    preview = await engine.preview(
        "prod", project=ROOT / "infra" / "bootstrap", config=yaml.safe_dump({"config": BOOTSTRAP})
    )
    workflows = {each.identity for each in GRANTS if each.identity.startswith("workflow ")}
    logins = {
        (identity, role, PROJECT, False)
        for identity in ("migrator", "runtime", "relay")
        for role in LOGIN_ROLES["cloudsql"]
    }
    tokens = ("Pub/Sub", "roles/iam.serviceAccountTokenCreator", ACCOUNT, False)
    tabled = _tabled("deployer", "previewer", *workflows, but=REPOSITORY)

    assert _granted(preview) == tabled | logins | {tokens}
    acts_as = {
        urn.rpartition("::")[2]
        for each in preview.states.values()
        if each.get("inputs", {}).get("role") == "roles/iam.serviceAccountUser"
        for urn in each["propertyDependencies"]["serviceAccountId"]
    }
    assert acts_as == {f"accounts-{identity}" for identity in ACCOUNTS}
    assert not [name for name, state in preview.states.items() if state["type"].endswith(":Key")]
    role = preview.states["delivery-role"]["inputs"]
    assert role["permissions"] == list(reading_permissions())


@pytest.mark.parametrize("stack", STACKS)
def test_whatever_a_stack_has_can_be_deployed_and_looked_at(stack: str) -> None:
    """The deployer has the role that makes each type, and the previewer's own role reads it."""
    counts = yaml.safe_load((FOLDER / f"{stack}.yaml").read_text())["counts"]
    types = {kind.removeprefix("gcp:") for kind in counts if kind.startswith("gcp:")}
    roles = {each.role for each in grants_of("deployer")}
    # Where CI deploys, the bootstrap makes the accounts and what they may do on the project.
    by_the_bootstrap = {"serviceaccount/account:Account", ACCOUNT, PROJECT}

    assert sorted(types - MANAGED.keys()) == []
    assert {MANAGED[kind].made_with for kind in types - by_the_bootstrap} <= roles


def test_the_previewer_reads_and_nothing_else() -> None:
    """Its own role gets, lists, and reads policies and images, and has no permission of data or secrets."""
    verbs = {each.rpartition(".")[2] for each in reading_permissions()}
    others = {each.role for each in grants_of("previewer") if not each.condition} - {PREVIEWER_ROLE}

    assert verbs == {"get", "getIamPolicy", "list", "downloadArtifacts"}
    assert others == {"roles/storage.objectViewer", "roles/cloudkms.cryptoKeyDecrypter"}
    assert not [each for each in reading_permissions() if "secret" in each or "objects" in each]


def test_no_grant_is_wider_than_it_must_be() -> None:
    """Nobody has a basic role, the containers have no role on the project but to log in, and who is what."""
    on_project = {
        each.role
        for each in GRANTS
        if each.kind == PROJECT and each.identity not in {"deployer", "previewer"}
    }
    hands_out = {"roles/resourcemanager.projectIamAdmin", "roles/iam.serviceAccountAdmin"}

    assert not {"roles/owner", "roles/editor", "roles/viewer"} & {each.role for each in GRANTS}
    assert on_project == {role for roles in LOGIN_ROLES.values() for role in roles}
    # Whoever has one of these can make itself anything.
    assert not [each for each in GRANTS if each.role in hands_out]
    named = {each.identity for each in GRANTS if not each.identity.startswith("workflow ")}
    assert named == IDENTITIES.keys()


def test_the_page_is_the_table() -> None:
    """`docs/reference/identities.md` is what `make reference` writes."""
    assert (ROOT / "docs" / "reference" / "identities.md").read_text(encoding="utf-8") == page()
