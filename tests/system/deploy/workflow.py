"""A job of our workflows, run as GitHub runs it: step by step, as the identity that it signs in as."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from local_gcp.recorded import federation
from local_gcp.rights.issuer import Issuer
from tests.event_store_infra.identities.test_federation import DEPLOY, DRIFT, OURS, PULL
from tests.event_store_infra.workflows.expressions import evaluate, is_true
from tests.local_gcp.conftest import LocalCloud
from tests.system.deploy.shell import Shell
from tools import ROOT

_FOLDER: Final = ROOT / ".github" / "workflows"
_CLAIMS: Final = {"deploy": DEPLOY, "deploy-stack": DEPLOY, "preview": PULL, "drift": DRIFT}
_FUNCTIONS: Final = {"cancelled": lambda: False, "failure": lambda: False}
_LOGIN: Final = "gcloud auth configure-docker "


class Workflows:
    """The workflows of the repository, on the local Google Cloud.

    Args:
        shell: A runner's terminal.
        cloud: The local Google Cloud.
        folder: An empty folder, for what a runner hands from step to step.

    Attributes:
        environments: The repository's variable ENVIRONMENTS, in JSON.
    """

    def __init__(self, shell: Shell, cloud: LocalCloud, folder: Path) -> None:
        self.environments = ""
        self._shell = shell
        self._cloud = cloud
        self._folder = folder

    async def run(self, workflow: str, job: str, stack: str, image: str = "") -> Mapping[str, str]:
        """Run a job, whose steps must succeed, and return what its steps put out.

        Args:
            workflow: Its file's name, without the ending.
            job: Its name there.
            stack: The stack that it is for.
            image: The input of that name.
        """
        content = yaml.safe_load((_FOLDER / f"{workflow}.yml").read_text(encoding="utf-8"))
        about = content["jobs"][job]
        contexts: dict[str, Any] = {
            "inputs": {"stack": stack, "image": image},
            "matrix": {"stack": stack},
            "vars": {"ENVIRONMENTS": self.environments},
            "needs": {},
            "env": content.get("env", {}),
        }
        given = {name: _value(text, contexts) for name, text in about["env"].items()}
        outputs = self._folder / "outputs"
        outputs.write_text("")
        files = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(self._folder / "summary")}
        token, begin = "", len(self._shell.asked)
        for step in about["steps"]:
            if not is_true(evaluate(step.get("if", "true"), contexts, _FUNCTIONS)):
                continue
            if step.get("uses", "").startswith("google-github-actions/auth@"):
                token = self._token(
                    {name: _value(text, contexts) for name, text in step["with"].items()},
                    {
                        **OURS,
                        **_CLAIMS[workflow],
                        **({"environment": stack} if "environment" in about else {}),
                    },
                )
            if "run" in step:
                is_logged_in = any(each.startswith(_LOGIN) for each in self._shell.asked[begin:])
                async with self._cloud.signed_in(token, docker=is_logged_in) as providers:
                    await self._shell.run(step["run"], providers, {**given, **files})
        return dict(line.split("=", 1) for line in outputs.read_text().splitlines())

    def _token(self, inputs: Mapping[str, str], claims: Mapping[str, str]) -> str:
        """Exchange GitHub's token for an account's, as the action `auth` does."""
        cloud = self._cloud.assembly.cloud
        names = [each.outputs["name"] for each in cloud.records.of_type(federation.PROVIDER.type)]
        assert inputs["workload_identity_provider"] in names
        issuer = Issuer(cloud.records, cloud.rights, cloud.tokens)
        return issuer.access_token(inputs["workload_identity_provider"], claims, inputs["service_account"])


def _value(text: str, contexts: Mapping[str, Any]) -> str:
    return str(evaluate(text, contexts, _FUNCTIONS)) if "${{" in text else text
