"""`preview STACK`: what `pulumi up` would do, and whether data would be lost. It makes nothing.

Against the stack's real state wherever the backend that `pulumi login` chose knows the stack; against an
empty local Google Cloud otherwise, with no cloud account. The stack `local` is only ever compared with what
stands here.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Final

from event_store.errors import ConfigurationError
from infra.preview import engine
from infra.preview.review import review
from local import background
from local.assembly import assemble_empty
from local.commands.project import STACK, Project
from local.provider import Provider
from local.pulumi import Pulumi
from local.state import State

DRIFT: Final = ("--refresh", "--expect-no-changes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("stack", help="as in Pulumi.<stack>.yaml")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--real", action="store_true", help="fail where there is no real state to compare with"
    )
    where.add_argument("--local", action="store_true", help="never look at a real state")
    parser.add_argument("--drift", action="store_true", help="ask Google, too, and fail on any change")
    parser.add_argument("--summary", type=Path, help="a file for the summary, too")


async def run(state: State, project: Project, arguments: argparse.Namespace) -> None:
    """Print the summary of the engine's plan.

    Raises:
        ConfigurationError: There is no such stack, or its program fails, or data would be lost that nobody
            has acknowledged.
    """
    stack, flags = arguments.stack, DRIFT if arguments.drift else ()
    if stack != STACK and not arguments.local and await asyncio.to_thread(_is_real, project, arguments):
        plan = await asyncio.to_thread(engine.make_plan, project.directory, stack, *flags)
    elif stack == STACK and (daemon := background.find(state)) is not None:
        with project.only_command(state):
            plan = await _plan(project.pulumi(state, daemon), *flags)
    else:
        plan = await _plan_of_nothing(project, stack, *flags)
    review(stack, plan, arguments.summary, expects_no_change=arguments.drift)


def _is_real(project: Project, arguments: argparse.Namespace) -> bool:
    """Tell whether there is a real state to compare with, and say against what the preview is."""
    stack, backend = arguments.stack, engine.backend(project.directory)
    if backend and engine.has_stack(project.directory, stack):
        print(f"The stack {stack} in {backend}:\n")
        return True
    why = f"{backend} has no stack {stack}" if backend else "no backend is logged in to"
    if arguments.real:
        raise ConfigurationError(f"{why}: `pulumi login`, then `make stack` for a new one")
    print(f"Against an empty local Google Cloud, for {why}:\n")
    return False


async def _plan_of_nothing(project: Project, stack: str, *flags: str) -> str:
    """Preview against a cloud with nothing in it, of which nothing runs but its provider."""
    with tempfile.TemporaryDirectory(prefix="event-store-") as directory:
        state = State(Path(directory))
        async with Provider(assemble_empty(state, project.program).cloud) as provider:
            return await _plan(Pulumi(project.directory, state.pulumi, stack, provider.attachment), *flags)


async def _plan(pulumi: Pulumi, *flags: str) -> str:
    await pulumi.prepare()
    return await pulumi.plan(*flags)
