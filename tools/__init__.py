"""The project's own tools: plain scripts. `setup.py` needs nothing but Python 3.11."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".tools"
VENV_PYTHON = ROOT / ".venv" / "bin" / "python"


class ToolError(Exception):
    """A tool cannot go on. Its message says what is wrong and how to fix it."""
