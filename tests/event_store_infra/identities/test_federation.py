"""Which of GitHub's tokens become which account, by what the program declares, judged as Google does."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from local_gcp.recorded import federation
from local_gcp.resource.errors import CloudError
from local_gcp.resource.records import Records
from local_gcp.rights.callers import Tokens
from local_gcp.rights.issuer import Issuer
from local_gcp.rights.rights import Rights
from tests.event_store_infra.identities.bootstrap import write_bootstrap
from tests.local_gcp.conftest import Stack

OURS: Final = {
    "repository": "team/store",
    "repository_id": "456789",
    "repository_owner": "team",
    "repository_owner_id": "123456",
    "iss": "https://token.actions.githubusercontent.com",
    "aud": "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/r",
    "actor": "somebody",
    "runner_environment": "github-hosted",
}
LONGEST_NAME: Final = f"{'t' * 39}/{'s' * 100}"
MAIN: Final = {"ref": "refs/heads/main", "ref_type": "branch"}
PULL: Final = {
    "event_name": "pull_request",
    "ref": "refs/pull/7/merge",
    "ref_type": "branch",
    "head_ref": "topic",
    "base_ref": "main",
    "job_workflow_ref": "team/store/.github/workflows/preview.yml@refs/pull/7/merge",
}
DEPLOY: Final = {
    **MAIN,
    "event_name": "push",
    "environment": "prod",
    "job_workflow_ref": "team/store/.github/workflows/deploy-stack.yml@refs/heads/main",
}
DRIFT: Final = {
    **MAIN,
    "event_name": "schedule",
    "job_workflow_ref": "team/store/.github/workflows/drift.yml@refs/heads/main",
}
# What a run may be, by what the workflows of the repository run as.
RIGHTFUL: Final = {
    "deploy of a merge": (DEPLOY, "deployer"),
    "deploy by hand": (DEPLOY | {"event_name": "workflow_dispatch"}, "deployer"),
    "preview": (PULL, "previewer"),
    "drift at night": (DRIFT, "previewer"),
    "drift by hand": (DRIFT | {"event_name": "workflow_dispatch"}, "previewer"),
    "deploy under the longest names": (
        DEPLOY
        | {
            "repository": LONGEST_NAME,
            "job_workflow_ref": f"{LONGEST_NAME}/.github/workflows/deploy-stack.yml@refs/heads/main",
        },
        "deployer",
    ),
    "a job whose token says nothing of a reusable workflow": (
        {name: value for name, value in DRIFT.items() if name != "job_workflow_ref"},
        "previewer",
    ),
}
ELSEWHERE: Final = {"repository": "team/other", "repository_id": "999"}
WRONGFUL: Final = {
    "another repository of the owner": DEPLOY | ELSEWHERE,
    "the fork's own run": PULL
    | {"repository": "x/store", "repository_id": "999", "repository_owner_id": "9"},
    "a repository that took the name over": DEPLOY | {"repository_id": "999", "repository_owner_id": "999"},
    "an owner that took the name over": DEPLOY | {"repository_owner_id": "999"},
    "a repository that was given away": DEPLOY | {"repository": "x/store", "repository_owner_id": "999"},
    "an id with ours at its beginning": DEPLOY | {"repository_id": "4567890"},
    "another environment": DEPLOY | {"environment": "dev"},
    "an environment that begins like ours": DEPLOY | {"environment": "prod2"},
    "an environment in capitals": DEPLOY | {"environment": "PROD"},
    "an environment with our subject in its name": DEPLOY | {"environment": "x:environment:prod"},
    "an environment with a branch in its name": DRIFT | {"environment": "x:ref:refs/heads/main"},
    "an environment called as an event is": PULL | {"environment": "pull_request"},
    "an environment called as a workflow is": PULL | {"environment": "deploy"},
    "a pull request in the environment": PULL | {"environment": "prod"},
    "a pull request that says it is main": PULL | MAIN,
    "a pull request that says it is main, in the environment": PULL | MAIN | {"environment": "prod"},
    "what runs on main with a stranger's input": DRIFT | {"event_name": "pull_request_target"},
    "the same in the environment": DEPLOY | {"event_name": "pull_request_target"},
    "a comment": DRIFT | {"event_name": "issue_comment"},
    "another workflow's end": DRIFT | {"event_name": "workflow_run"},
    "a push without an environment": DRIFT | {"event_name": "push"},
    "deploy by hand from a branch": DEPLOY | {"event_name": "workflow_dispatch", "ref": "refs/heads/topic"},
    "deploy from a tag": DEPLOY | {"ref": "refs/tags/main", "ref_type": "tag"},
    "deploy from a branch that ends like main": DEPLOY | {"ref": "refs/heads/x/refs/heads/main"},
    "drift by hand from a branch": DRIFT | {"event_name": "workflow_dispatch", "ref": "refs/heads/topic"},
    "another repository's run of our reusable workflow": DEPLOY | ELSEWHERE,
    "our run of another repository's reusable workflow": (
        DEPLOY | {"job_workflow_ref": "x/evil/.github/workflows/deploy-stack.yml@refs/heads/main"}
    ),
    "the same of a repository whose name begins like ours": (
        DRIFT | {"job_workflow_ref": "team/store-evil/.github/workflows/drift.yml@refs/heads/main"}
    ),
    "a token that says nothing of its event": {
        name: value for name, value in DEPLOY.items() if name != "event_name"
    },
}


def _claims(claims: Mapping[str, str], form: str) -> dict[str, str]:
    """Return a token's claims, with the subject that GitHub makes of them in one of its two forms."""
    every = {**OURS, **claims}
    owner, name = every["repository"].split("/")
    who = {
        "names": f"{owner}/{name}",
        "ids": f"{owner}@{every['repository_owner_id']}/{name}@{every['repository_id']}",
    }[form]
    if "environment" in every:
        about = f"environment:{every['environment'].replace(':', '%3A')}"
    elif every.get("event_name") == "pull_request":
        about = "pull_request"
    else:
        about = f"ref:{every['ref']}"
    return every | {"sub": f"repo:{who}:{about}"}


def _accounts(records: Records, claims: Mapping[str, str]) -> set[str]:
    """Return the accounts whose tokens the claims get."""
    (provider,) = (each.outputs["name"] for each in records.of_type(federation.PROVIDER.type))
    issuer = Issuer(records, Rights(records, "enforce"), Tokens("worth nothing"))
    found = set()
    for account in ("deployer", "previewer"):
        with suppress(CloudError):
            issuer.access_token(provider, claims, f"event-store-{account}@project-1.iam.gserviceaccount.com")
            found.add(account)
    return found


async def test_only_runs_of_the_repository_s_own_workflows_become_an_account(stack: Stack) -> None:
    """Each workflow is its own account, by either form of subject; nothing else that GitHub signs is any."""
    write_bootstrap(stack)
    await stack.must_up()
    forms = ("names", "ids")
    verdicts = {
        (case, form): _accounts(stack.cloud.records, _claims(claims, form))
        for case, claims in ({case: claims for case, (claims, _) in RIGHTFUL.items()} | WRONGFUL).items()
        for form in forms
    }

    assert verdicts == {
        **{(case, form): {account} for case, (_, account) in RIGHTFUL.items() for form in forms},
        **{(case, form): set() for case in WRONGFUL for form in forms},
    }
