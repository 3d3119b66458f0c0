"""Who may write what of the state's bucket, by the grants of the bootstrap, judged as Google does."""

from pathlib import Path
from typing import Final

import yaml

from event_store_infra.settings.bootstrap import BootstrapSettings
from local_gcp.rights.callers import Caller, service_account
from local_gcp.rights.rights import Rights
from tests.event_store_infra.identities.bootstrap import write_bootstrap
from tests.event_store_infra.inventory.variants import BOOTSTRAP
from tests.local_gcp.conftest import LocalCloud, Stack
from tools import ROOT

PROGRAM_NAME: Final = BootstrapSettings.parse(BOOTSTRAP).program
BUCKET: Final = f"projects/_/buckets/{BOOTSTRAP['event-store-bootstrap:state_bucket']}"
DEPLOYER: Final = service_account("event-store-deployer@project-1.iam.gserviceaccount.com")
PREVIEWER: Final = service_account("event-store-previewer@project-1.iam.gserviceaccount.com")
# What decides over the deployer's own rights, over where Pulumi looks, or over another environment.
OTHERS: Final = (
    ".pulumi/stacks/event-store-bootstrap/prod.json",
    ".pulumi/stacks/event-store-bootstrap/prod.json.bak",
    ".pulumi/history/event-store-bootstrap/prod/prod-1.history.json",
    ".pulumi/backups/event-store-bootstrap/prod/prod.1.json",
    ".pulumi/locks/organization/event-store-bootstrap/prod/4f.json",
    ".pulumi/stacks/event-store/staging.json",
    ".pulumi/stacks/event-store/prod2.json",
    ".pulumi/history/event-store/prod2/prod2-1.history.json",
    ".pulumi/locks/organization/event-store/prod2/4f.json",
    ".pulumi/stacks/prod.json",  # where Pulumi looks if `meta.yaml` says that the layout is the old one
    ".pulumi/meta.yaml",
    "x/.pulumi/stacks/event-store/prod.json",
)
LOCK: Final = ".pulumi/locks/organization/event-store/prod/4f.json"
OWN: Final = (
    ".pulumi/stacks/event-store/prod.json",
    ".pulumi/stacks/event-store/prod.json.gz.bak",
    ".pulumi/stacks/event-store/prod.pulumi-tags",
    ".pulumi/history/event-store/prod/prod-1.checkpoint.json",
    ".pulumi/backups/event-store/prod/prod.1.json",
)
BOTH: Final = {"create", "delete"}
PROGRAM: Final = """
from pulumi_gcp import pubsub
pubsub.Topic("words", name="words", labels={"team": "LABEL"})
"""


def _writes(rights: Rights, caller: Caller, name: str) -> set[str]:
    """Return what of creating and deleting an object a caller may do; to overwrite one takes both."""
    verbs = ("create", "delete")
    return {
        verb for verb in verbs if rights.allows(caller, f"storage.objects.{verb}", f"{BUCKET}/objects/{name}")
    }


async def test_the_deployer_writes_its_own_stack_s_state_and_nothing_else(stack: Stack) -> None:
    """Neither the state of what grants it its roles, nor another stack's, nor what the layout is told by."""
    write_bootstrap(stack)
    await stack.must_up()
    rights = Rights(stack.cloud.records, "enforce")
    names = (*OWN, LOCK, *OTHERS)

    assert [name for name in names if _writes(rights, DEPLOYER, name) == BOTH] == [*OWN, LOCK]
    assert [name for name in names if _writes(rights, PREVIEWER, name) == BOTH] == [LOCK]
    assert not [name for name in OTHERS if _writes(rights, DEPLOYER, name)]
    assert not [name for name in (*OWN, *OTHERS) if _writes(rights, PREVIEWER, name)]
    for caller in (DEPLOYER, PREVIEWER):
        assert rights.allows(caller, "storage.objects.list", BUCKET)
        assert rights.allows(caller, "storage.objects.get", f"{BUCKET}/objects/.pulumi/meta.yaml")
        assert not rights.allows(caller, "storage.buckets.setIamPolicy", BUCKET)


async def test_all_that_pulumi_writes_of_a_stack_the_deployer_may_write(
    stack: Stack, local_cloud: LocalCloud, tmp_path: Path
) -> None:
    """The real engine keeps state, history, backups, tags and locks where the condition allows it."""
    write_bootstrap(stack, environment="local")
    await stack.must_up()
    rights = Rights(stack.cloud.records, "enforce")
    ours = Stack(tmp_path, PROGRAM_NAME, local_cloud.assembly, local_cloud.providers)
    for label in ("one", "two"):
        ours.write(PROGRAM.replace("LABEL", label))
        await ours.must_up()
    await ours.run("preview")
    kept = ours.directory / "state"
    files = [path.relative_to(kept).as_posix() for path in kept.rglob(".pulumi/**/*") if path.is_file()]
    # A lock is gone, and has left its folder.
    folders = [path.relative_to(kept).as_posix() for path in kept.glob(".pulumi/locks/*/*/*")]
    written = [name for name in files if name.endswith((".json", ".bak", ".pulumi-tags"))]

    assert {name.split("/")[1] for name in written} == {"stacks", "history", "backups"}
    assert folders
    for name in (*written, *(f"{folder}/4f.json" for folder in folders)):
        assert _writes(rights, DEPLOYER, name) == BOTH, name
    assert {*files} - {*written} <= {".pulumi/meta.yaml"} | {
        name for name in files if name.endswith(".attrs")
    }


async def test_the_program_of_another_team_has_its_own_state(stack: Stack) -> None:
    """Its deployer writes under the name of its own program, and not under ours."""
    write_bootstrap(stack, program="shop")
    await stack.must_up()
    rights = Rights(stack.cloud.records, "enforce")

    assert _writes(rights, DEPLOYER, ".pulumi/stacks/shop/prod.json") == BOTH
    assert _writes(rights, PREVIEWER, ".pulumi/locks/organization/shop/prod/4f.json") == BOTH
    assert not [name for name in (*OWN, LOCK) if _writes(rights, DEPLOYER, name)]


def test_the_project_s_name_in_the_condition_is_that_of_its_file() -> None:
    """Pulumi keeps the state of a stack under the name in Pulumi.yaml."""
    assert yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["name"] == PROGRAM_NAME
