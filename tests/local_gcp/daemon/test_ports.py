"""A port that somebody else uses is found before anything is made."""

import socket
from pathlib import Path

import pytest

from local_gcp.daemon.settings import Settings
from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble
from local_gcp.errors import SetupError
from local_gcp.resource.records import Records
from local_gcp.system.child_process import Processes
from local_gcp.system.ports import free_port


@pytest.mark.parametrize("name", ["service", "postgres", "pubsub"])
async def test_a_taken_port_is_named_with_the_flag_that_changes_it(tmp_path: Path, name: str) -> None:
    """The local Google Cloud does not start, and says which port and which flag."""
    state = State(tmp_path / "state")
    state.make()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = {f"{each}_port": free_port() for each in ("service", "postgres", "pubsub")} | {
            f"{name}_port": port
        }
        settings = Settings(**ports, token="")
        processes = Processes(state.logs)

        with pytest.raises(SetupError, match=f"port {port} on .* --{name}-port"):
            async with assemble(state, settings, processes, Records(None), tmp_path).running(processes):
                pass
