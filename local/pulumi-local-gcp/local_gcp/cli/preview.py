"""`preview STACK`: what `pulumi up` would do here. It makes nothing.

Compared with what is up on this machine, if that is the stack; else with an empty local Google Cloud, or with
what the program of another commit makes in it.
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
    """Print what the engine plans.

    Raises:
        SetupError: There is no such stack, or its program fails.
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
    """Give a stack on a cloud with nothing in it, of which nothing runs but its provider.

    Args:
        project: Whose program it is.
        stack: As in `Pulumi.<stack>.yaml`.

    Raises:
        SetupError: There is no such stack.
    """
    with tempfile.TemporaryDirectory(prefix="local-gcp-") as directory:
        state = State(Path(directory))
        async with Provider(assemble_empty(state, project.program).cloud) as provider:
            pulumi = Pulumi(project.directory, state.pulumi, stack, provider.attachment)
            await pulumi.prepare()
            yield pulumi


@asynccontextmanager
async def on_base(project: Project, stack: str, reference: str) -> AsyncIterator[tuple[Pulumi, BaseBranch]]:
    """Give a stack on a cloud that only records, in which the program of another commit is up.

    An image counts as the same, since it is hashed from the working tree's files for both.

    Args:
        project: Whose program it is.
        stack: As in `Pulumi.<stack>.yaml`.
        reference: A branch, a tag or a commit.

    Raises:
        SetupError: Git does not know it, it has no such stack, or its program does not come up.
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
