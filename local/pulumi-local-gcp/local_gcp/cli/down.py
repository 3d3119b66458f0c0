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
    """Destroy the stack and stop everything; databases keep their data unless `--purge` is given.

    Raises:
        LocalGcpError: Another command is running, the stack cannot be destroyed, or the daemon does not end.
    """
    if not state.directory.exists():
        print("Nothing is up.")
        return
    with project.only_command(state):
        # A purge needs no order while nothing runs.
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
    """Delete the content of a state directory, of which nothing runs any more."""
    if state.postgres.exists():
        for path in state.postgres.iterdir():
            if path.is_dir():  # the log lies beside each of them
                Postgres(path, find_binaries(), 0).remove()
    for path in state.directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix != ".lock":  # this process holds it
            path.unlink()
