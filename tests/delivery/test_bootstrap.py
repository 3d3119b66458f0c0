"""The bootstrap comes up once and stays as it is, and a mistake in its file makes nothing."""

import re
from pathlib import Path

import pytest
import yaml

from event_store.errors import ConfigurationError
from infra.settings.bootstrap import BootstrapSettings
from local.limits import federation, iam
from local.state import ROOT
from tests.infra.inventory.variants import BOOTSTRAP
from tests.local.conftest import Stack


async def test_the_bootstrap_comes_up_once_and_leaves_nothing(stack: Stack) -> None:
    """The real engine makes it, finds no change afterwards, exports what GitHub needs, and destroys it."""
    stack.write(f"import runpy\nrunpy.run_path({str(ROOT / 'infra' / 'bootstrap' / '__main__.py')!r})\n")
    _configure(stack.directory)

    output = await stack.must_up()
    preview = await stack.run("preview", "--expect-no-changes")
    refresh = await stack.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")

    assert '"event-store-deployer@project-1.iam.gserviceaccount.com"' in output
    assert "/locations/global/workloadIdentityPools/event-store-github/providers/repository" in output
    assert preview.code == 0, preview.output
    assert refresh.code == 0, refresh.output
    grants = [each.inputs for each in stack.cloud.records.of_type(iam.ACCOUNT_IAM_MEMBER.type)]
    whom = {
        each["member"].partition("/subject/")[2]: re.search(
            "event-store-(deployer|previewer)@", each["serviceAccountId"]
        )
        for each in grants
    }
    assert {subject: found and found[1] for subject, found in whom.items()} == {
        "repo:team/store:environment:prod": "deployer",
        "repo:team/store:pull_request": "previewer",
        "repo:team/store:ref:refs/heads/main": "previewer",
    }
    assert {each["role"] for each in grants} == {"roles/iam.workloadIdentityUser"}
    (provider,) = stack.cloud.records.of_type(federation.PROVIDER.type)
    # GitHub signs for every repository there is, and others of the same owner are not this one.
    assert provider.inputs["attributeCondition"] == "assertion.repository == 'team/store'"
    assert provider.inputs["attributeMapping"]["google.subject"] == "assertion.sub"
    assert provider.inputs["oidc"]["issuerUri"] == "https://token.actions.githubusercontent.com"
    await stack.must_destroy()
    assert list(stack.cloud.records) == []


def _configure(directory: Path) -> None:
    content = {"config": {**BOOTSTRAP, "gcp:project": "project-1"}}
    (directory / "Pulumi.local.yaml").write_text(yaml.safe_dump(content))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("repository", "https://github.com/team/store", "owner/name"),
        ("repository", "team/'store", "owner/name"),
        ("environment", "Prod", "small letters"),
        ("state_bucket", "gs://team-state", "without gs://"),
        ("secrets_key", "k", "projects/P/locations/L"),
        ("prefix", "a" * 20 + "b", "2 to 20"),
        ("repository", f"{'a' * 39}/{'b' * 90}", "at most 127 letters: shorten the environment's name"),
    ],
)
def test_a_mistake_is_named(name: str, value: str, message: str) -> None:
    """The message names the key and what it may be."""
    config = {**BOOTSTRAP, f"event-store-bootstrap:{name}": value}

    with pytest.raises(ConfigurationError, match=f"event-store-bootstrap:.*{message}"):
        BootstrapSettings.parse(config)


def test_every_prefix_that_is_accepted_makes_account_ids_that_google_takes() -> None:
    """The longest prefix leaves room for the longest identity."""
    settings = BootstrapSettings.parse({**BOOTSTRAP, "event-store-bootstrap:prefix": "a" * 20})

    assert iam.ACCOUNT.fields["accountId"].problem(f"{settings.prefix}-previewer") is None
    assert federation.POOL.fields["workloadIdentityPoolId"].problem(f"{settings.prefix}-github") is None
