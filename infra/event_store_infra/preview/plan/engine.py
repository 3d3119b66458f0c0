"""The engine on a stack's real state: which backend is logged in to, and what it would do there."""

import json
import os
from pathlib import Path
from typing import Final

import yaml

from event_store_infra.command import ask_pulumi
from event_store_infra.preview.plan.compared import Compared, real_state, time_of

_LISTING_SECONDS: Final = 60.0
_PLANNING_SECONDS: Final = 1200.0  # a refresh asks Google about every resource


def backend(project: Path) -> str:
    """Return where Pulumi keeps its state, in Pulumi's own order; empty if nobody has logged in.

    Args:
        project: The folder of `Pulumi.yaml`.
    """
    if url := os.environ.get("PULUMI_BACKEND_URL"):
        return url
    content = yaml.safe_load((project / "Pulumi.yaml").read_text(encoding="utf-8"))
    if url := (content.get("backend") or {}).get("url"):
        return str(url)
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        return str(json.loads((home / "credentials.json").read_text(encoding="utf-8")).get("current") or "")
    except FileNotFoundError:
        return ""


def find_stack(project: Path, stack: str, *, refreshed: bool = False) -> Compared | None:
    """Return the real state of a stack, as what to compare with; None if the backend has no such stack.

    Args:
        project: The folder of `Pulumi.yaml`.
        stack: The name of the stack.
        refreshed: Whether the preview reads each resource again from Google.

    Raises:
        ConfigurationError: The backend does not say.
    """
    listed = json.loads(ask_pulumi(project, _LISTING_SECONDS, "stack", "ls", "--json") or "null") or []
    for each in listed:
        if each["name"].rpartition("/")[2] == stack.rpartition("/")[2]:
            return real_state(backend(project), time_of(each.get("lastUpdate")), refreshed=refreshed)
    return None


def make_plan(project: Path, stack: str, *flags: str) -> str:
    """Return the JSON of the engine's plan, also that of a preview which failed.

    What does not change is in it, too: an obstacle may depend on that.

    Args:
        project: The folder of `Pulumi.yaml`.
        stack: The name of the stack.
        flags: More for `pulumi preview`.

    Raises:
        ConfigurationError: It makes none.
    """
    command = ("preview", "--json", "--show-sames", "--stack", stack, *flags)
    return ask_pulumi(project, _PLANNING_SECONDS, *command, whatever_becomes=True)
