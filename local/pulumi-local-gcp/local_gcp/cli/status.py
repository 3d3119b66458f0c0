"""`status`: print the endpoints as JSON."""

import argparse
import json

from local_gcp.cli.project import Project
from local_gcp.daemon import background
from local_gcp.daemon.state_directory import State
from local_gcp.errors import SetupError


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Declare no flags."""


async def run(state: State, _project: Project, _arguments: argparse.Namespace) -> None:
    """Print all endpoints.

    Raises:
        SetupError: Nothing is up.
    """
    daemon = background.find(state)
    if daemon is None:
        raise SetupError("the local Google Cloud is not up: start it with `up`")
    print(json.dumps(daemon.endpoints(), indent=2))
