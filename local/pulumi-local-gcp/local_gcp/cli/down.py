"""`down`: destroy the stack with Pulumi and stop everything."""

import argparse
import shutil

from local_gcp.cli.project import Project
from local_gcp.daemon import background
from local_gcp.daemon.settings import Settings
from local_gcp.daemon.state_directory import State
from local_gcp.errors import SetupError
from local_gcp.postgres.server.binaries import find_binaries
from local_gcp.postgres.server.cluster import Postgres


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--purge", action="store_true", help="delete the data, too")


async def run(state: State, project: Project, arguments: argparse.Namespace) -> None:
    """Take everything down; the data of databases is kept unless it is to be purged.

    Raises:
        LocalGcpError: Something is in the way.
    """
    if not state.directory.exists():
        print("Nothing is up.")
        return
    with project.only_command(state):
        # What is purged needs no order where nothing runs.
        if background.find(state) is not None or not arguments.purge:
            await _destroy(state, project)
        await project.pulumi(state, None).settle()
        background.stop(state)
        if arguments.purge:
            purge(state)
    print("Everything is down" + ("." if arguments.purge else f"; the data is kept in {state.directory}."))


async def _destroy(state: State, project: Project) -> None:
    settings = Settings.load(state)
    if settings is None or project.pulumi(state, None).is_empty():
        return
    daemon, _ = background.ensure(state, settings, project.program)
    pulumi = project.pulumi(state, daemon)
    await pulumi.prepare()
    if await pulumi.run("destroy", "--yes", "--skip-preview") != 0:
        raise SetupError(
            "`pulumi destroy` failed: it says why above. Try again, or delete everything with `down --purge`"
        )


def purge(state: State) -> None:
    """Delete all that a state directory keeps; nothing of it runs any more."""
    if state.postgres.exists():
        for path in state.postgres.iterdir():
            if path.is_dir():  # beside each lies its log
                Postgres(path, find_binaries(), 0).remove()
    for path in state.directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix != ".lock":  # held by us
            path.unlink()
