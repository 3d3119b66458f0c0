"""The bootstrap comes up once and stays as it is, and a mistake in its file makes nothing."""

import re

import pytest

from event_store.errors import ConfigurationError
from event_store_infra.settings.bootstrap import BootstrapSettings
from local_gcp.recorded import federation, iam
from tests.event_store_infra.identities.bootstrap import write_bootstrap
from tests.event_store_infra.inventory.variants import BOOTSTRAP
from tests.local_gcp.conftest import Stack


async def test_the_bootstrap_comes_up_once_and_leaves_nothing(stack: Stack) -> None:
    """The real engine makes it, finds no change afterwards, exports what GitHub needs, and destroys it."""
    write_bootstrap(stack)

    output = await stack.must_up()
    preview = await stack.run("preview", "--expect-no-changes")
    refresh = await stack.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")

    assert '"event-store-deployer@project-1.iam.gserviceaccount.com"' in output
    assert "/locations/global/workloadIdentityPools/event-store-github/providers/repository" in output
    assert preview.code == 0, preview.output
    assert refresh.code == 0, refresh.output
    on_accounts = [each.inputs for each in stack.cloud.records.of_type(iam.ACCOUNT_IAM_MEMBER.type)]
    grants = [each for each in on_accounts if each["role"] == "roles/iam.workloadIdentityUser"]
    whom = {
        each["member"].partition("/subject/")[2]: re.search(
            "event-store-(deployer|previewer)@", each["serviceAccountId"]
        )
        for each in grants
    }
    assert {subject: found and found[1] for subject, found in whom.items()} == {
        "deploy": "deployer",
        "preview": "previewer",
        "drift": "previewer",
    }
    (provider,) = stack.cloud.records.of_type(federation.PROVIDER.type)
    assert provider.inputs["oidc"]["issuerUri"] == "https://token.actions.githubusercontent.com"
    await stack.must_destroy()
    assert list(stack.cloud.records) == []


def test_the_settings_of_a_repository_s_name_are_told_what_to_set_instead() -> None:
    """A bootstrap that knows the repository by its name learns the new keys, and how to get their values."""
    config = {**BOOTSTRAP, "event-store-bootstrap:repository": "team/store"}

    with pytest.raises(ConfigurationError) as refused:
        BootstrapSettings.parse(config)
    assert str(refused.value) == (
        "event-store-bootstrap:repository is 'team/store', but a name can be taken over by others, so the "
        "repository is known by its numbers: run `pulumi config rm repository`, and set repository_id and "
        "repository_owner_id to what `gh api repos/team/store --jq '.id, .owner.id'` prints"
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("repository_id", "team/store", "gh api repos/OWNER/NAME --jq .id"),
        ("repository_id", "1' || true || '", "gh api repos/OWNER/NAME --jq .id"),
        ("repository_owner_id", "0", "gh api repos/OWNER/NAME --jq .owner.id"),
        ("environment", "Prod", "small letters"),
        ("state_bucket", "gs://team-state", "without gs://"),
        ("secrets_key", "k", "projects/P/locations/L"),
        ("prefix", "a" * 20 + "b", "2 to 20"),
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
