"""The project's own tools: plain scripts. `setup.py` needs nothing but Python 3.11."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".tools"
VENV_PYTHON = ROOT / ".venv" / "bin" / "python"
# The folder of each distribution: its pyproject.toml and its package.
SOURCES = ("service", "infra", "local/pulumi-local-gcp", "local/pubsub-emulator")


class ToolError(Exception):
    """A tool cannot continue; the message says why, and how to fix that."""
