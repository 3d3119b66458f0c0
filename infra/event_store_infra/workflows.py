"""The conditions on GitHub's tokens by which workflow runs become identities.

The mapping makes one of three fixed subjects of a run, and grants name these. So no text of GitHub's becomes
part of a subject: neither `sub`, which is `repo:OWNER/REPO:…` or `repo:OWNER@ID/REPO@ID:…`, nor a long name,
nor an environment called `x:ref:main`.

- The claims: https://docs.github.com/en/actions/reference/security/oidc
- Numbers instead of names, which can be taken over:
  https://github.com/google-github-actions/auth/blob/main/docs/SECURITY_CONSIDERATIONS.md
- The language and its limits: https://cloud.google.com/iam/docs/workload-identity-federation#mapping
"""

from collections.abc import Mapping
from typing import Final

ISSUER: Final = "https://token.actions.githubusercontent.com"
_MAIN: Final = "assertion.ref == 'refs/heads/main'"
# A token lacks the claim unless its job names an environment. Google refuses a token if an expression reads a
# claim that it lacks.
_NO_ENVIRONMENT: Final = "!has(assertion.environment)"
# The steps of a job may stand in another repository's reusable workflow, which nobody reviews in ours.
_OWN_STEPS: Final = (
    "(!has(assertion.job_workflow_ref) || assertion.job_workflow_ref.startsWith(assertion.repository + '/'))"
)


def workflows(environment: str) -> Mapping[str, str]:
    """Return the condition that recognizes each workflow's runs, by name; no run matches two.

    Args:
        environment: The GitHub environment that deploys.
    """
    return {
        "deploy": " && ".join(
            (
                f"has(assertion.environment) && assertion.environment == '{environment}'",
                _MAIN,
                "assertion.event_name in ['push', 'workflow_dispatch']",
            )
        ),
        # The claims do not tell a fork's pull request. GitHub gives none of those a token by default.
        "preview": (
            f"{_NO_ENVIRONMENT} && assertion.event_name == 'pull_request'"
            " && assertion.ref.startsWith('refs/pull/')"
        ),
        # Not any event on `main`: what `pull_request_target` and others run there has strangers' input.
        "drift": f"{_NO_ENVIRONMENT} && {_MAIN} && assertion.event_name in ['schedule', 'workflow_dispatch']",
    }


def attribute_mapping(environment: str) -> Mapping[str, str]:
    """Return the attribute mapping, from a token to a workflow's name or `none`."""
    choices = "".join(f"{known_by} ? '{name}' : " for name, known_by in workflows(environment).items())
    return {"google.subject": f"{choices}'none'"}


def attribute_condition(repository_id: str, repository_owner_id: str, environment: str) -> str:
    """Return the attribute condition, without which Google rejects a token.

    Args:
        repository_id: GitHub's number of the repository, which stays with it through each change of name.
        repository_owner_id: GitHub's number of its owner: a repository that is given away is no longer ours.
        environment: The GitHub environment that deploys.
    """
    any_workflow = " || ".join(f"({known_by})" for known_by in workflows(environment).values())
    return " && ".join(
        (
            f"assertion.repository_id == '{repository_id}'",
            f"assertion.repository_owner_id == '{repository_owner_id}'",
            _OWN_STEPS,
            f"({any_workflow})",
        )
    )
