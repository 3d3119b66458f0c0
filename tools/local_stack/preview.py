"""`preview STACK`: preview `pulumi up`, and whether data would be lost; nothing is changed.

If the backend of `pulumi login` knows the stack, the preview compares with the stack's real state. Otherwise
it compares with an empty local Google Cloud, without a cloud account; with `--base`, with the resources of
another commit's program. The stack `local` is only compared with its resources on this machine.
"""

import argparse
import asyncio
from pathlib import Path
from typing import Final

from event_store.errors import ConfigurationError
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan import engine
from event_store_infra.preview.plan.compared import (
    Compared,
    nothing,
    program_of,
    state_on_this_machine,
    without_secrets,
)
from event_store_infra.preview.report.backlog import ask_monitoring, say_unmeasured
from event_store_infra.preview.review import review
from local_gcp.cli.preview import on_base, on_nothing
from local_gcp.cli.project import Project
from local_gcp.daemon import background
from local_gcp.daemon.background import Daemon
from local_gcp.daemon.state_directory import State

DRIFT: Final = ("--refresh", "--expect-no-changes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
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
        ConfigurationError: Data would be lost without an acknowledgement, or the preview failed.
        LocalGcpError: The stack does not exist, or its program fails.
    """
    stack, flags = arguments.stack, DRIFT if arguments.drift else ()
    if arguments.base is not None:
        if not arguments.local:
            raise ConfigurationError(
                "--base needs --local: without it a preview compares with the real state"
            )
        async with on_base(project, stack, arguments.base) as (pulumi, base):
            compared = program_of(base.reference, base.commit)
            plan = await pulumi.plan(*flags)
        _tell(stack, compared)
        review(stack, plan, arguments.summary, compared=compared, expects_no_change=arguments.drift)
        return
    daemon = background.find(state) if stack == project.stack else None
    compared = await asyncio.to_thread(_compared, project, arguments, daemon)
    _tell(stack, compared)
    if compared.is_empty:
        async with on_nothing(project, stack) as pulumi:
            plan = await pulumi.plan(*flags)
    elif daemon is not None:
        with project.only_command(state):
            pulumi = project.pulumi(state, daemon)
            await pulumi.prepare()
            plan = await pulumi.plan(*flags)
    else:
        plan = await asyncio.to_thread(engine.make_plan, project.directory, stack, *flags)
    ask = None if compared.is_empty else ask_monitoring if daemon is None else say_unmeasured
    review(stack, plan, arguments.summary, compared=compared, ask=ask, expects_no_change=arguments.drift)


def _compared(project: Project, arguments: argparse.Namespace, daemon: Daemon | None) -> Compared:
    """Return the state that the preview compares with."""
    stack = arguments.stack
    if daemon is not None:
        return state_on_this_machine(refreshed=arguments.drift)
    if stack == project.stack:
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


def _tell(stack: str, compared: Compared) -> None:
    print(f"{code(stack)}, {compared}:\n", flush=True)
