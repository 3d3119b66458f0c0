"""Canary rollouts: a new revision gets a share of the traffic, and then all of it or none.

`canary --stack prod --percent 10`, then `promote --stack prod` or `rollback --stack prod`. Each writes the
stack's file, and the next `pulumi up` applies it. Safe to repeat.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from event_store.errors import ConfigurationError
from event_store_infra.command import ask_pulumi, run_pulumi
from event_store_infra.settings import RolloutSettings, Settings
from event_store_infra.settings.stack import NAMESPACE

KEY: Final = f"{NAMESPACE}rollout"
OUTPUT: Final = "revision"
DEFAULT_PERCENT: Final = 10
_MOST_PERCENT: Final = 99
_PATIENCE_SECONDS: Final = 120.0


def begin(config: Mapping[str, str], outputs: Mapping[str, object], percent: int) -> RolloutSettings:
    """Return the rollout that gives the latest revision a share of the traffic.

    Args:
        config: The stack's configuration.
        outputs: The stack's outputs, which name the revision that serves.
        percent: The share, 1 to 99.

    Raises:
        ConfigurationError: Nothing serves yet, or the stack has no room for two revisions.
    """
    if not 1 <= percent <= _MOST_PERCENT:
        raise ConfigurationError(
            f"--percent is {percent}, but must be 1 to 99: use `promote` for all traffic"
        )
    current = Settings.parse(config).rollout
    stable = current.stable if current else str(outputs.get(OUTPUT) or "")
    if not stable:
        raise ConfigurationError(
            f"the stack has no output {OUTPUT}, so no revision serves yet: run `pulumi up` first"
        )
    rollout = RolloutSettings(stable=stable, percent=percent)
    # Refuses what `pulumi up` would refuse.
    Settings.parse({**config, KEY: json.dumps({"stable": stable, "percent": percent})})
    return rollout


def promote(config: Mapping[str, str]) -> None:
    """Check that there is a canary to promote.

    Raises:
        ConfigurationError: There is no canary, or it was rolled back.
    """
    current = Settings.parse(config).rollout
    if current is None:
        raise ConfigurationError("there is no canary to promote: begin one with `canary`")
    if not current.percent:
        raise ConfigurationError(
            "the canary was rolled back: deploy a better revision, and begin again with `canary`"
        )


def roll_back(config: Mapping[str, str]) -> RolloutSettings:
    """Return the rollout that gives the stable revision all traffic.

    Raises:
        ConfigurationError: There is no canary.
    """
    current = Settings.parse(config).rollout
    if current is None:
        raise ConfigurationError(
            "there is no canary to roll back: to return to an earlier image, deploy that"
        )
    return RolloutSettings(stable=current.stable, percent=0)


def change(folder: Path, stack: str, command: str, percent: int) -> str:
    """Write a command's rollout to the stack's file; return its effect in words.

    Args:
        folder: The folder of `Pulumi.yaml`.
        stack: The name of the stack.
        command: `canary`, `promote` or `rollback`.
        percent: For `canary`, as in `begin`.

    Raises:
        ConfigurationError: The stack does not allow the command now, or Pulumi fails.
    """
    said = json.loads(ask_pulumi(folder, _PATIENCE_SECONDS, "config", "--json", "--stack", stack))
    config = {name: each["value"] for name, each in said.items() if not each.get("secret")}
    if command == "promote":
        promote(config)
        ask_pulumi(folder, _PATIENCE_SECONDS, "config", "rm", KEY, "--stack", stack)
        return "the latest revision gets all traffic"
    if command == "rollback":
        rollout = roll_back(config)
    else:
        outputs = ask_pulumi(folder, _PATIENCE_SECONDS, "stack", "output", "--json", "--stack", stack)
        rollout = begin(config, json.loads(outputs), percent)
    # Both at once: half of the key would be refused by whatever reads it next.
    values = [("--plaintext", f"{KEY}.{name}={value}") for name, value in asdict(rollout).items()]
    words = (word for pair in values for word in pair)
    ask_pulumi(folder, _PATIENCE_SECONDS, "config", "set-all", "--path", *words, "--stack", stack)
    return f"{rollout.stable} gets {100 - rollout.percent} % of the traffic, the latest revision the rest"


def main() -> int:
    """Run a command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m event_store_infra.rollout",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=("canary", "promote", "rollback"))
    parser.add_argument("--stack", required=True)
    parser.add_argument(
        "--percent",
        type=int,
        default=DEFAULT_PERCENT,
        help="the canary's share of the traffic, 1 to 99 (default: %(default)s)",
    )
    parser.add_argument("--yes", action="store_true", help="run `pulumi up` at once, without asking")
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="the folder of Pulumi.yaml (default: this folder)"
    )
    arguments = parser.parse_args()
    folder, stack = arguments.folder, arguments.stack
    try:
        follows = change(folder, stack, arguments.command, arguments.percent)
        if arguments.yes:
            run_pulumi(folder, "up", "--yes", "--stack", stack)
    except ConfigurationError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"{follows}.\n" if arguments.yes else f"{follows}, after: pulumi up --stack {stack}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
