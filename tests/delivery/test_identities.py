"""The one table of identities and roles is what the programs really grant, no more and no less."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from infra.identities import GRANTS, IDENTITIES, LOGIN_ROLES, PREVIEWER_ROLE, PROJECT, TOPIC, grants_of, page
from infra.managed import MANAGED, reading_permissions
from local.state import ROOT
from tests.infra.engine import Engine, Preview
from tests.infra.inventory import FOLDER, STACKS
from tests.infra.inventory.variants import (
    BOOTSTRAP,
    DEPLOYER,
    INVOKER,
    KEY,
    ON_ALLOYDB,
    WHOLE,
    file_of_prod,
)

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
CONSUMER = "serviceAccount:projection@words.iam.gserviceaccount.com"  # of the topology that says everything
# Who a grant is to, by the account or service agent in the program that it names.
OWNERS = {
    "bus-agent": "Pub/Sub",
    "bus-push": "push",
    "delivery-deployer": "deployer",
    "delivery-previewer": "previewer",
    "event-store-account": "runtime",
    "image-agent": "Cloud Run",
    "migrations-account": "migrator",
    "relay-account": "relay",
}
# What a stack grants to the deployer, on what only the stack knows.
OF_THE_DEPLOYER = ("roles/iam.serviceAccountUser", "roles/artifactregistry.reader")
AGENTS = {"event-store:infra:Database": "Cloud SQL", "event-store:infra:AlloyDB": "AlloyDB"}
OUTSIDE = {INVOKER: "invoker", CONSUMER: "consumer", f"serviceAccount:{DEPLOYER}": "deployer"}


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
    by_the_stack = {each for each in _tabled("deployer") if each[1] in OF_THE_DEPLOYER}
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
    assert _granted(preview) | _granted(on_alloydb) == (tabled - set(absent)) | by_the_stack
    assert not [each for each in _granted(on_alloydb) if "cloudsql" in each[1]]
    assert not [each for each in _granted(preview) if "alloydb" in each[1]]
    instance = preview.states["database-instance"]
    assert instance["inputs"]["encryptionKeyName"] == KEY
    assert "database-key" in {urn.rpartition("::")[2] for urn in instance["dependencies"]}
    assert {"migrations-deployer", "image-deployer"} <= waits["migrations-job"]
    assert {"event-store-deployer", "image-deployer"} <= waits["event-store-service"]


async def test_the_bootstrap_grants_what_the_table_says(engine: Engine) -> None:
    """Deployer, previewer and the workflows that may be them have the roles of the table and no other."""
    preview = await engine.preview(
        "prod", project=ROOT / "infra" / "bootstrap", config=yaml.safe_dump({"config": BOOTSTRAP})
    )
    workflows = {each.identity for each in GRANTS if each.identity.startswith("workflow ")}
    by_the_stack = {each for each in _tabled("deployer") if each[1] in OF_THE_DEPLOYER}

    assert _granted(preview) == _tabled("deployer", "previewer", *workflows) - by_the_stack
    assert not [name for name, state in preview.states.items() if state["type"].endswith(":Key")]
    role = preview.states["delivery-role"]["inputs"]
    assert role["permissions"] == list(reading_permissions())


@pytest.mark.parametrize("stack", STACKS)
def test_whatever_a_stack_has_can_be_deployed_and_looked_at(stack: str) -> None:
    """The deployer has the role that makes each type, and the previewer's own role reads it."""
    counts = yaml.safe_load((FOLDER / f"{stack}.yaml").read_text())["counts"]
    types = {kind.removeprefix("gcp:") for kind in counts if kind.startswith("gcp:")}
    roles = {each.role for each in grants_of("deployer")}

    assert sorted(types - MANAGED.keys()) == []
    assert {MANAGED[kind].made_with for kind in types} <= roles


def test_the_previewer_reads_and_nothing_else() -> None:
    """Its own role has no permission but to get, list and read policies, and none of data or secrets."""
    verbs = {each.rpartition(".")[2] for each in reading_permissions()}
    others = {each.role for each in grants_of("previewer") if not each.condition} - {PREVIEWER_ROLE}

    assert verbs == {"get", "getIamPolicy", "list"}
    assert others == {"roles/storage.objectViewer", "roles/cloudkms.cryptoKeyDecrypter"}
    assert not [each for each in reading_permissions() if "secret" in each or "objects" in each]


def test_no_grant_is_wider_than_it_must_be() -> None:
    """Nobody has a basic role, the containers have no role on the project but to log in, and who is what."""
    on_project = {
        each.role
        for each in GRANTS
        if each.kind == PROJECT and each.identity not in {"deployer", "previewer"}
    }
    (hands_out,) = (each for each in GRANTS if each.role == "roles/resourcemanager.projectIamAdmin")

    assert not {"roles/owner", "roles/editor", "roles/viewer"} & {each.role for each in GRANTS}
    assert on_project == set(LOGIN_ROLES)
    assert all(f"'{role}'" in hands_out.condition for role in LOGIN_ROLES)
    assert hands_out.condition.count("'roles/") == len(LOGIN_ROLES)
    named = {each.identity for each in GRANTS if not each.identity.startswith("workflow ")}
    assert named == IDENTITIES.keys()


def test_the_page_is_the_table() -> None:
    """`docs/identities.md` is what `make reference` writes."""
    assert (ROOT / "docs" / "identities.md").read_text(encoding="utf-8") == page()
