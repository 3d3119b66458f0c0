"""A copy of a stack's configuration for the local runtime, so that a tracked file is never changed.

The copy keeps everything except the encryption of secrets, which is the local runtime's own. A secret value
cannot be read without the stack's key, and is replaced by a placeholder.
"""

from pathlib import Path
from typing import Any, Final

import yaml

from local_gcp.errors import SetupError

_ENCRYPTION: Final = ("secretsprovider", "encryptedkey", "encryptionsalt")


def copy_stack_file(project: Path, stack: str, target: Path) -> None:
    """Copy `Pulumi.<stack>.yaml`, keeping the encryption settings of an earlier copy.

    Args:
        project: The directory of `Pulumi.yaml`.
        stack: The name of the stack.
        target: The path of the copy.

    Raises:
        SetupError: The stack does not exist, or its file is not YAML.
    """
    source = project / f"Pulumi.{stack}.yaml"
    if not source.exists():
        stacks = sorted(path.name.split(".")[1] for path in project.glob("Pulumi.*.yaml"))
        raise SetupError(f"stack {stack!r} does not exist: use one of {', '.join(stacks)} of {project}")
    content = _load(source)
    kept = _load(target) if target.exists() else {}
    copy = {key: value for key, value in content.items() if key not in _ENCRYPTION}
    copy |= {key: value for key, value in kept.items() if key in _ENCRYPTION}
    copy["config"] = {key: _readable(key, value) for key, value in (content.get("config") or {}).items()}
    target.write_text(yaml.safe_dump(copy, sort_keys=False))


def _load(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as error:
        raise SetupError(f"{path} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise SetupError(f"{path} must be a mapping with the key config")
    return content


def _readable(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"secure"}:
            return f"secret-of-{name}"
        return {key: _readable(f"{name}.{key}", each) for key, each in value.items()}
    return [_readable(name, each) for each in value] if isinstance(value, list) else value
