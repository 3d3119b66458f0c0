"""`preview STACK`: what `pulumi up` would do, and whether data would be lost. It makes nothing.

Against the stack's real state wherever the backend that `pulumi login` chose knows the stack; against an
empty local Google Cloud otherwise, with no cloud account, or against what the program of another commit makes
in it. The stack `local` is only ever compared with what stands here.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Final

from event_store.errors import ConfigurationError
from event_store_infra.preview.markdown import code, one_line
from event_store_infra.preview.plan import engine
from event_store_infra.preview.plan.compared import (
    Compared,
    nothing,
    program_of,
    state_on_this_machine,
    without_secrets,
)
from event_store_infra.preview.report.backlog import ask_monitoring
from event_store_infra.preview.review import review
from local_gcp.cli.base_branch import checked_out
from local_gcp.cli.project import STACK, Project
from local_gcp.daemon import background
from local_gcp.daemon.background import Daemon
from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble_empty
from local_gcp.engine.pulumi_cli import Pulumi
from local_gcp.provider.server import Provider

DRIFT: Final = ("--refresh", "--expect-no-changes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("stack", help="as in Pulumi.<stack>.yaml")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--real", action="store_true", help="fail where there is no real state to compare with"
    )
    where.add_argument("--local", action="store_true", help="never look at a real state")
    parser.add_argument(
        "--base",
        metavar="COMMIT",
        help="with --local, compare with what the program of that branch or commit would have made",
    )
    parser.add_argument("--drift", action="store_true", help="ask Google, too, and fail on any change")
    parser.add_argument("--summary", type=Path, help="a file for the summary, too")


async def run(state: State, project: Project, arguments: argparse.Namespace) -> None:
    """Print the summary of the engine's plan.

    Raises:
        ConfigurationError: There is no such stack, or its program fails, or data would be lost that nobody
            has acknowledged.
    """
    if arguments.base is not None:
        await _compare_with_base(project, arguments)
        return
    stack, flags = arguments.stack, DRIFT if arguments.drift else ()
    daemon = background.find(state) if stack == STACK else None
    compared = await asyncio.to_thread(_compared, project, arguments, daemon)
    print(f"{code(stack)}, {compared}:\n", flush=True)
    if compared.is_empty:
        plan = await _plan_of_nothing(project, stack, *flags)
    elif daemon is not None:
        with project.only_command(state):
            plan = await _plan(project.pulumi(state, daemon), *flags)
    else:
        plan = await asyncio.to_thread(engine.make_plan, project.directory, stack, *flags)
    ask = None if compared.is_empty or daemon is not None else ask_monitoring
    review(stack, plan, arguments.summary, compared=compared, ask=ask, expects_no_change=arguments.drift)


def _compared(project: Project, arguments: argparse.Namespace, daemon: Daemon | None) -> Compared:
    """Return what the preview is compared with."""
    stack = arguments.stack
    if daemon is not None:
        return state_on_this_machine(refreshed=arguments.drift)
    if stack == STACK:
        return nothing("it is not up on this machine")
    if arguments.local:
        return nothing(f"{code('--local')} never looks at a real state")
    backend = engine.backend(project.directory)
    known = engine.find_stack(project.directory, stack, refreshed=arguments.drift) if backend else None
    if known is not None:
        return known
    why = f"{without_secrets(backend)} has no stack {stack}" if backend else "no backend is logged in to"
    if arguments.real:
        raise ConfigurationError(f"{why}: `pulumi login`, then `make stack` for a new one")
    return nothing(code(why) if backend else why)


async def _compare_with_base(project: Project, arguments: argparse.Namespace) -> None:
    """Bring the base's program up in a cloud that only records, and preview the working tree's against it.

    The image counts as the same, since it is hashed from the working tree's files for both.
    """
    if not arguments.local:
        raise ConfigurationError("--base needs --local: without it a preview compares with the real state")
    stack, flags = arguments.stack, DRIFT if arguments.drift else ()
    with (
        checked_out(project.directory, stack, arguments.base) as base,
        tempfile.TemporaryDirectory(prefix="event-store-") as directory,
    ):
        compared = program_of(base.reference, base.commit)
        print(f"{code(stack)}, {compared}:\n", flush=True)
        state = State(Path(directory))
        async with Provider(assemble_empty(state, project.program).cloud) as provider:
            before = Pulumi(base.project, state.pulumi, stack, provider.attachment, base.python_path)
            await before.prepare()
            try:
                await before.up()
            except ConfigurationError as error:
                raise ConfigurationError(
                    f"the program of {one_line(base.reference)} does not come up, so there is nothing to "
                    f"compare with: {error}"
                ) from None
            plan = await _plan(Pulumi(project.directory, state.pulumi, stack, provider.attachment), *flags)
    review(stack, plan, arguments.summary, compared=compared, expects_no_change=arguments.drift)


async def _plan_of_nothing(project: Project, stack: str, *flags: str) -> str:
    """Preview against a cloud with nothing in it, of which nothing runs but its provider."""
    with tempfile.TemporaryDirectory(prefix="event-store-") as directory:
        state = State(Path(directory))
        async with Provider(assemble_empty(state, project.program).cloud) as provider:
            return await _plan(Pulumi(project.directory, state.pulumi, stack, provider.attachment), *flags)


async def _plan(pulumi: Pulumi, *flags: str) -> str:
    await pulumi.prepare()
    return await pulumi.plan(*flags)
