"""`status`: the endpoints as JSON."""

import argparse
import json

from event_store.errors import ConfigurationError
from local_gcp.cli.project import Project
from local_gcp.daemon import background
from local_gcp.daemon.state_directory import State


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """It has no flags."""


async def run(state: State, _project: Project, _arguments: argparse.Namespace) -> None:
    """Print where everything listens.

    Raises:
        ConfigurationError: Nothing is up.
    """
    daemon = background.find(state)
    if daemon is None:
        raise ConfigurationError("the local stack is not up: start it with `make up`")
    print(json.dumps(daemon.endpoints(), indent=2))
