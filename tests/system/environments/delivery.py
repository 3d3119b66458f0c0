"""One of our stacks as CI deploys it: by the identities of its bootstrap, on a cloud that enforces rights."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from local_gcp.recorded import federation, registry
from local_gcp.rights.issuer import Issuer
from tests.event_store_infra.identities.bootstrap import write_bootstrap
from tests.event_store_infra.identities.test_federation import DEPLOY, DRIFT, OURS, PULL
from tests.local_gcp.conftest import Stack
from tests.system.environments.environment import DeployedEnvironment

_WORKFLOWS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "deploy": ("deployer", DEPLOY),
    "preview": ("previewer", PULL),
    "drift": ("previewer", DRIFT),
}
_BUILDER: Final = "event-store-dev"
IMAGE: Final = f"europe-west1-docker.pkg.dev/{_BUILDER}/event-store/event-store@sha256:{'a' * 64}"


class Bootstrapped:
    """The bootstrap of an environment, and the workflows of its repository.

    Args:
        environment: One of our stacks, of which nothing stands yet.
    """

    def __init__(self, environment: DeployedEnvironment) -> None:
        self._environment = environment
        self._cloud = environment.cloud
        self._readers: list[Any] = []  # their records
        local = environment.local_cloud
        self._bootstrap = Stack(environment.directory, "bootstrap", local.assembly, local.providers)

    async def bootstrap(self) -> None:
        """Make CI's identities as the project's owner, and name the deployer in the stack's file."""
        environment = self._environment
        write_bootstrap(self._bootstrap, environment.project, environment.name)
        await self._bootstrap.must_up()
        environment.change({"event-store:deployer": self._email("deployer")})
        if environment.project != _BUILDER:
            environment.change({"event-store:image": IMAGE})

    async def let_images_be_read(self) -> None:
        """Grant what `event-store:image_readers` of the stack that builds grants, as its owner."""
        agent = self._cloud.records.place.of({"project": self._environment.project}).service_agent("run")
        for reader in (self._email("deployer"), agent):
            grant: dict[str, Any] = {
                "project": _BUILDER,
                "location": "europe-west1",
                "repository": "event-store",
                "role": "roles/artifactregistry.reader",
                "member": f"serviceAccount:{reader}",
            }
            made = await self._cloud.create(registry.REPOSITORY_IAM_MEMBER.type, f"owner::{reader}", grant)
            self._readers.append(made)

    @asynccontextmanager
    async def workflow(self, name: str, *, docker: bool = True) -> AsyncIterator[None]:
        """Run commands as a workflow does: with a token that Google exchanges for its OpenID token.

        Args:
            name: One of `deploy`, `preview`, `drift`.
            docker: Whether the workflow has logged Docker in.
        """
        identity, claims = _WORKFLOWS[name]
        said = {**OURS, **claims}
        if "environment" in claims:
            said["environment"] = self._environment.name
        records, cloud = self._cloud.records, self._cloud
        (provider,) = (each.outputs["name"] for each in records.of_type(federation.PROVIDER.type))
        issuer = Issuer(records, cloud.rights, cloud.tokens)
        token = issuer.access_token(provider, said, self._email(identity))
        async with self._environment.local_cloud.signed_in(token, docker=docker) as providers:
            with self._environment.reaching(providers):
                yield

    async def end(self) -> None:
        """Destroy the bootstrap, and take back what the stack that builds granted."""
        await self._bootstrap.must_destroy()
        for record in self._readers:
            await self._cloud.delete(record)

    def _email(self, identity: str) -> str:
        return f"event-store-{identity}@{self._environment.project}.iam.gserviceaccount.com"
