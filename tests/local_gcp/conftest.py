"""The local Google Cloud in the tests' own process, and Pulumi projects of a few lines to bring up on it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from local_gcp.cli.down import purge
from local_gcp.cloudrun.rollout import RolledOutKind
from local_gcp.daemon.settings import Settings
from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import Assembly, assemble
from local_gcp.engine.pulumi_cli import Pulumi
from local_gcp.provider.server import Provider
from local_gcp.resource.errors import CloudError
from local_gcp.resource.records import Records
from local_gcp.rights.callers import ANONYMOUS
from local_gcp.system.child_process import Processes
from local_gcp.system.ports import free_port

COMMAND_TIMEOUT_SECONDS = 120
PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said."""

    code: int
    output: str


class Deployed:
    """One stack of a project, on a local Google Cloud of the tests.

    Args:
        directory: The project's.
        name: The stack's.
        assembly: The local Google Cloud.
        providers: Where it listens.
    """

    def __init__(self, directory: Path, name: str, assembly: Assembly, providers: str) -> None:
        self.cloud = assembly.cloud
        self.services = assembly.services
        self.worker_pools = assembly.worker_pools
        self.directory = directory
        self.config_file = directory / f"Pulumi.{name}.yaml"
        self._pulumi = Pulumi(directory, directory / "state", name, providers)

    async def run(self, command: str, *arguments: str) -> Answer:
        """Run a Pulumi command and return its exit code and output."""
        await self._pulumi.prepare()
        process = await asyncio.create_subprocess_exec(
            *("pulumi", command, *arguments, *self._on_stack(command)),
            *("--non-interactive", "--color", "never"),
            cwd=self.directory,
            env=self._pulumi._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._process = process
        async with asyncio.timeout(COMMAND_TIMEOUT_SECONDS):
            output, _ = await process.communicate()
        return Answer(process.returncode or 0, output.decode())

    def _on_stack(self, command: str) -> tuple[str, ...]:
        # What looks at the state alone has no use for the configuration, and refuses to hear of it.
        return self._pulumi._on_stack[: 2 if command in {"stack", "state"} else None]

    async def up(self) -> Answer:
        """Bring the program up."""
        return await self.run("up", "--yes", "--skip-preview")

    @contextmanager
    def reaching(self, providers: str) -> Iterator[None]:
        """Run commands against another address of the local Google Cloud."""
        own, self._pulumi._environment["PULUMI_DEBUG_PROVIDERS"] = (
            self._pulumi._environment["PULUMI_DEBUG_PROVIDERS"],
            providers,
        )
        yield
        self._pulumi._environment["PULUMI_DEBUG_PROVIDERS"] = own

    def interrupt(self) -> None:
        """Press Ctrl-C on the command that runs."""
        self._process.send_signal(signal.SIGINT)

    async def must_up(self) -> str:
        """Bring the program up, or fail the test."""
        answer = await self.up()
        assert answer.code == 0, answer.output
        return answer.output

    async def kill(self, kind: RolledOutKind) -> None:
        """Kill the process of the only revision of a service or worker pool, and wait for its end."""
        (deployment,) = kind._deployments.values()
        (keeper,) = deployment._keepers.values()
        assert keeper._revision is not None
        child = keeper._revision._running.child
        os.kill(child.pid, signal.SIGKILL)
        async with asyncio.timeout(COMMAND_TIMEOUT_SECONDS):
            await child.wait()

    async def must_destroy(self) -> None:
        """Destroy the stack, or fail the test."""
        answer = await self.run("destroy", "--yes", "--skip-preview")
        assert answer.code == 0, answer.output


class Stack(Deployed):
    """The stack `local` of a project of the test's own."""

    def __init__(self, directory: Path, name: str, assembly: Assembly, providers: str) -> None:
        project = directory / name
        project.mkdir()
        (project / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
        (project / "Pulumi.local.yaml").write_text(
            "config:\n  gcp:project: p-1\n  gcp:region: europe-west1\n"
        )
        super().__init__(project, "local", assembly, providers)

    def write(self, program: str) -> None:
        """Write the program."""
        (self.directory / "__main__.py").write_text(f"import pulumi\n{program}")


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """The local Google Cloud of the tests."""

    assembly: Assembly
    providers: str

    @asynccontextmanager
    async def signed_in(self, token: str, *, docker: bool = True) -> AsyncIterator[str]:
        """Give the address of the providers for an environment with an account's credentials.

        Args:
            token: The access token that the environment holds.
            docker: Whether Docker is logged in with it, too.

        Yields:
            The value of PULUMI_DEBUG_PROVIDERS.
        """
        cloud = self.assembly.cloud
        caller = cloud.tokens.caller(token)
        async with Provider(cloud, caller=caller, docker=caller if docker else ANONYMOUS) as provider:
            yield provider.attachment


@asynccontextmanager
async def running_cloud(folder: Path, program: Path) -> AsyncIterator[LocalCloud]:
    """Run a local Google Cloud with all that it stands on.

    Args:
        folder: Where it keeps what it has; purged in the end.
        program: The folder of the Pulumi program that images are relative to.
    """
    state = State(folder)
    state.make()
    token = "token-of-the-tests"  # noqa: S105 # worth nothing
    settings = Settings(
        service_port=free_port(),
        postgres_port=free_port(),
        pubsub_port=free_port(),
        rights="enforce",
        token=token,
    )
    processes = Processes(state.logs)
    assembly = assemble(state, settings, processes, Records(state.records), program)
    async with assembly.running(processes), Provider(assembly.cloud) as provider:
        yield LocalCloud(assembly, provider.attachment)
    purge(state)


@pytest_asyncio.fixture(scope="session")
async def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCloud]:
    """A local Google Cloud for the small programs of the tests."""
    async with running_cloud(tmp_path_factory.mktemp("cloud"), PROGRAMS) as cloud:
        yield cloud


@pytest_asyncio.fixture
async def stack(
    local_cloud: LocalCloud, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Stack]:
    """An empty stack; whatever it has in the end is forgotten."""
    name = request.node.name.removeprefix("test_").split("[")[0][:30].strip("_").replace("_", "-")
    yield Stack(tmp_path, name, local_cloud.assembly, local_cloud.providers)
    for record in reversed(tuple(local_cloud.assembly.cloud.records)):
        with suppress(CloudError):  # roles that own something go with their instance
            await local_cloud.assembly.cloud.kind(record.type).delete(record)
        local_cloud.assembly.cloud.records.remove(record)
