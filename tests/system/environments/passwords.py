"""No password in what Pulumi keeps of a stack."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.local_gcp.conftest import Deployed

_PASSWORD = re.compile("passw|secret|token|credential", re.IGNORECASE)
# What is named like one and is none: Pulumi's own, the name of an execution, and lists of names.
_HARMLESS = frozenset({"runExecutionToken", "secrets_providers", "pulumi:secret"})


async def must_have_no_password(stack: Deployed) -> None:
    """Look at every input, output, configuration value and container variable, secrets in plain text."""
    exported = await stack.run("stack", "export", "--show-secrets")
    assert exported.code == 0, exported.output
    deployment = json.loads(exported.output)["deployment"]
    config = stack.config_file.read_text()
    resources = [
        {"inputs": each.get("inputs", {}), "outputs": each.get("outputs", {})}
        for each in deployment["resources"]
    ]

    named = {key for each in resources for key, value in _members(each) if _PASSWORD.search(key) and value}
    variables = {str(value) for each in resources for key, value in _members(each) if key == "name" and value}
    assert len(resources) > 20
    assert named <= _HARMLESS
    assert not [name for name in variables if re.search("PASSW|SECRET|TOKEN", name)]
    assert not _PASSWORD.search(config)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield key, each
            yield from _members(each)
    elif isinstance(value, list):
        for each in value:
            yield from _members(each)
