"""What a container asks for that this machine does not have is told, never guessed."""

from pathlib import Path

import pytest

from local_gcp.cloudrun.supervisor import _command, _variables
from local_gcp.resource.errors import CloudError


def test_a_variable_from_a_secret_is_refused() -> None:
    """It would be empty here, and the container would run with something else than in the cloud."""
    secret = {"name": "KEY", "valueSource": {"secretKeyRef": {"secret": "key", "version": "1"}}}

    with pytest.raises(CloudError, match="variable KEY comes from a secret"):
        _variables({"envs": [{"name": "A", "value": "1"}, secret]})
    assert _variables({"envs": [{"name": "A", "value": "1"}, {"name": "B"}]}) == {"A": "1", "B": ""}


def test_a_container_without_a_command_is_refused() -> None:
    """No image is run here, so nobody knows its entry point."""
    with pytest.raises(CloudError, match="the container of words:latest has no commands"):
        _command({"image": "words:latest", "args": ["serve"]}, Path("/nowhere"))


def test_a_command_is_looked_for_where_an_image_would_have_it(tmp_path: Path) -> None:
    """First among the programs of this environment, then among the machine's; else it is told."""
    (tmp_path / "sh").write_text("#!/bin/sh\n")
    (tmp_path / "sh").chmod(0o755)

    assert _command({"image": "i", "commands": ["sh", "-c"], "args": ["x"]}, tmp_path) == [
        str(tmp_path / "sh"), "-c", "x",
    ]  # fmt: skip
    with pytest.raises(CloudError, match=r"the container's command 'no-such-program' is not in"):
        _command({"image": "i", "commands": ["no-such-program"]}, tmp_path)
