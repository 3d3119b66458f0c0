"""`preview STACK`: what `pulumi up` would do, with no cloud account. It makes nothing."""

import argparse
import tempfile
from pathlib import Path

from event_store.errors import ConfigurationError
from local import background
from local.assembly import assemble
from local.commands.project import STACK, Project
from local.processes import Processes
from local.provider import Provider
from local.pulumi import Pulumi
from local.records import Records
from local.settings import Settings
from local.state import State


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("stack", help="as in Pulumi.<stack>.yaml")


async def run(state: State, project: Project, arguments: argparse.Namespace) -> None:
    """Print Pulumi's diff: of the stack `local` against what stands, of any other against nothing.

    Raises:
        ConfigurationError: There is no such stack, or its program fails.
    """
    daemon = background.find(state) if arguments.stack == STACK else None
    if daemon is not None:
        with project.only_command(state):
            await _preview(project.pulumi(state, daemon))
    else:
        await _preview_nothing(project, arguments.stack)


async def _preview_nothing(project: Project, stack: str) -> None:
    """Preview against a cloud with nothing in it, of which nothing runs but its provider."""
    with tempfile.TemporaryDirectory(prefix="event-store-") as directory:
        state = State(Path(directory))
        settings = Settings(service_port=0, postgres_port=0, pubsub_port=0, token="")
        assembly = assemble(state, settings, Processes(state.logs), Records(None), project.program)
        async with Provider(assembly.cloud) as provider:
            await _preview(Pulumi(project.directory, state.pulumi, stack, provider.attachment))


async def _preview(pulumi: Pulumi) -> None:
    await pulumi.prepare()
    if await pulumi.run("preview", "--diff") != 0:
        raise ConfigurationError("`pulumi preview` failed: it says why above")
