"""The Pulumi project that the commands work on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from event_store.errors import ConfigurationError
from local_gcp.daemon.background import Daemon
from local_gcp.daemon.state_directory import State
from local_gcp.engine.pulumi_cli import Pulumi

STACK: Final = "local"


@dataclass(frozen=True, slots=True)
class Project:
    """A project.

    Attributes:
        directory: Where its `Pulumi.yaml` is.
    """

    directory: Path

    @property
    def program(self) -> Path:
        """The folder of its program."""
        content = yaml.safe_load((self.directory / "Pulumi.yaml").read_text())
        return self.directory / str(content.get("main", "."))

    def pulumi(self, state: State, daemon: Daemon | None) -> Pulumi:
        """Return its stack `local`, on a daemon if it is to be changed."""
        return Pulumi(self.directory, state.pulumi, STACK, daemon.providers if daemon else "")

    @contextmanager
    def only_command(self, state: State) -> Iterator[None]:
        """Be the only command that works on a state directory.

        Raises:
            ConfigurationError: Another one does.
        """
        try:
            with state.lock("command"):
                yield
        except BlockingIOError:
            raise ConfigurationError(
                f"another `make up`, `down` or `preview` works on {state.directory}: wait for its end"
            ) from None
