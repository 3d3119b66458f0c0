"""`preview STACK`: print the plan of `pulumi up` on the local Google Cloud, without creating anything.

Compared with the running stack if the stack's names are equal, else with an empty local Google Cloud, or with
the resources of another commit's program in it.
"""

import argparse
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from local_gcp.cli.base_branch import BaseBranch, checked_out
from local_gcp.cli.project import Project
from local_gcp.daemon import background
from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble_empty
from local_gcp.engine.pulumi_cli import Pulumi
from local_gcp.errors import SetupError
from local_gcp.provider.server import Provider


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("stack", help="as in Pulumi.<stack>.yaml")
    parser.add_argument(
        "--base",
        metavar="COMMIT",
        help="compare with what the program of that branch or commit would have made",
    )
    parser.add_argument("--json", action="store_true", help="print the engine's plan as JSON")


async def run(state: State, project: Project, arguments: argparse.Namespace) -> None:
    """Print the engine's plan.

    Raises:
        SetupError: The stack does not exist, or its program fails.
    """
    stack = arguments.stack
    daemon = background.find(state) if stack == project.stack else None
    if arguments.base is not None:
        async with on_base(project, stack, arguments.base) as (pulumi, _):
            await _show(pulumi, as_json=arguments.json)
    elif daemon is not None:
        with project.only_command(state):
            pulumi = project.pulumi(state, daemon)
            await pulumi.prepare()
            await _show(pulumi, as_json=arguments.json)
    else:
        async with on_nothing(project, stack) as pulumi:
            await _show(pulumi, as_json=arguments.json)


@asynccontextmanager
async def on_nothing(project: Project, stack: str) -> AsyncIterator[Pulumi]:
    """Yield a stack on an empty local Google Cloud, of which only the provider runs.

    Args:
        project: The project with the program.
        stack: The stack's name, as in `Pulumi.<stack>.yaml`.

    Raises:
        SetupError: The stack does not exist.
    """
    with tempfile.TemporaryDirectory(prefix="local-gcp-") as directory:
        state = State(Path(directory))
        async with Provider(assemble_empty(state, project.program).cloud) as provider:
            pulumi = Pulumi(project.directory, state.pulumi, stack, provider.attachment)
            await pulumi.prepare()
            yield pulumi


@asynccontextmanager
async def on_base(project: Project, stack: str, reference: str) -> AsyncIterator[tuple[Pulumi, BaseBranch]]:
    """Yield a stack on a recording-only cloud in which another commit's program is up.

    Images count as unchanged, since both are hashed from the working tree's files.

    Args:
        project: The project with the program.
        stack: The stack's name, as in `Pulumi.<stack>.yaml`.
        reference: A branch, a tag or a commit.

    Raises:
        SetupError: Git does not find the reference, the commit lacks the stack, or its program fails.
    """
    with (
        checked_out(project.directory, stack, reference) as base,
        tempfile.TemporaryDirectory(prefix="local-gcp-") as directory,
    ):
        state = State(Path(directory))
        async with Provider(assemble_empty(state, project.program).cloud) as provider:
            before = Pulumi(base.project, state.pulumi, stack, provider.attachment, base.python_path)
            await before.prepare()
            try:
                await before.up()
            except SetupError as error:
                raise SetupError(
                    f"the program of {base.reference!r} does not come up, so there is nothing to compare "
                    f"with: {error}"
                ) from None
            pulumi = Pulumi(project.directory, state.pulumi, stack, provider.attachment)
            await pulumi.prepare()
            yield pulumi, base


async def _show(pulumi: Pulumi, *, as_json: bool) -> None:
    if as_json:
        print(await pulumi.plan())
    elif await pulumi.run("preview") != 0:
        raise SetupError("`pulumi preview` failed: it says why above")
