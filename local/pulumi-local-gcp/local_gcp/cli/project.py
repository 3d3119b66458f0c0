"""The Pulumi project that the commands work on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from local_gcp.daemon.background import Daemon
from local_gcp.daemon.state_directory import State
from local_gcp.engine.pulumi_cli import Pulumi
from local_gcp.errors import SetupError

STACK: Final = "local"


@dataclass(frozen=True, slots=True)
class Project:
    """A Pulumi project and its stack.

    Attributes:
        directory: The folder of `Pulumi.yaml`.
        stack: The stack that is brought up.
    """

    directory: Path
    stack: str = STACK

    @property
    def program(self) -> Path:
        """The folder of the Pulumi program.

        Raises:
            SetupError: There is no `Pulumi.yaml`.
        """
        path = self.directory / "Pulumi.yaml"
        if not path.exists():
            raise SetupError(f"{self.directory} has no Pulumi.yaml: name the project's folder with --project")
        content = yaml.safe_load(path.read_text())
        return self.directory / str(content.get("main", "."))

    def pulumi(self, state: State, daemon: Daemon | None) -> Pulumi:
        """Return the project's stack; a daemon is needed only to change it."""
        return Pulumi(self.directory, state.pulumi, self.stack, daemon.providers if daemon else "")

    @contextmanager
    def only_command(self, state: State) -> Iterator[None]:
        """Allow only one command at a time on a state directory.

        Raises:
            SetupError: Another command is running.
        """
        try:
            with state.lock("command"):
                yield
        except BlockingIOError:
            raise SetupError(
                f"another `up`, `down` or `preview` works on {state.directory}: wait for its end"
            ) from None
