"""Creates a new environment: its file, and its stack in the backend of your choice.

`--name prod-eu --profile prod --project my-project --region europe-west1 --backend gs://my-state
--secrets gcpkms://projects/…/cryptoKeys/…`

Safe to repeat: an existing file or stack is kept, and a file with other values is rejected.
"""

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Final

import yaml

from event_store.errors import ConfigurationError
from event_store_infra.command import run_pulumi
from event_store_infra.settings import Settings
from event_store_infra.settings.database.database import KEY
from event_store_infra.settings.profile import PROFILES
from event_store_infra.settings.stack import NAMESPACE

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
# What a backend offers for the stack's secrets, of which this program has none, and a team may have some.
_SECRETS: Final = {
    "file": (r"passphrase", "passphrase"),
    "gs": (f"gcpkms://{KEY}", ""),
    "cloud": (r"default|gcpkms://.+", "default"),
}
_ALLOWED: Final = {
    "file": "passphrase",
    "gs": "gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K: who reads the bucket reads no secret",
    "cloud": "default, which is Pulumi Cloud's own, or a gcpkms:// key",
}


def make(name: str, config: dict[str, str], backend: str, secrets: str, folder: Path) -> None:
    """Write the stack's file and create the stack.

    Args:
        name: 2 to 32 small letters, digits and hyphens.
        config: The stack's keys, as its file has them.
        backend: `file://DIR`, `gs://BUCKET` or `cloud`.
        secrets: The secrets provider; empty for the backend's own.
        folder: The folder of `Pulumi.yaml`.

    Raises:
        ConfigurationError: An argument is wrong, the file exists with other values, or Pulumi fails.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"--name is {name!r}, but must be 2 to 32 small letters, digits and hyphens")
    kind = backend.split("://", maxsplit=1)[0]
    if kind not in _SECRETS or (kind == "cloud") != (backend == "cloud"):
        raise ConfigurationError(f"--backend is {backend!r}, but must be file://DIR, gs://BUCKET or cloud")
    pattern, default = _SECRETS[kind]
    secrets = secrets or default
    if not re.fullmatch(pattern, secrets):
        raise ConfigurationError(f"--secrets is {secrets!r}, but with this backend must be {_ALLOWED[kind]}")
    if secrets == "passphrase" and not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & {
        *os.environ
    }:
        raise ConfigurationError(
            "there is no passphrase: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, "
            "here and wherever the stack is deployed from"
        )
    Settings.parse(config)  # refuses what `pulumi up` would refuse, before anything is made
    file = folder / f"Pulumi.{name}.yaml"
    if file.exists():
        _refuse_another(file, config)
        sys.stdout.write(f"{file.name} exists and is kept\n")
    else:
        file.write_text(yaml.safe_dump({"config": config}, sort_keys=False), encoding="utf-8")
        sys.stdout.write(f"{file.name} written\n")
    run_pulumi(folder, "login", *(() if backend == "cloud" else (backend,)))
    run_pulumi(folder, "stack", "select", name, "--create", "--secrets-provider", secrets)
    sys.stdout.write(f"\nNext: pulumi preview --stack {name}, then pulumi up --stack {name}\n")


def _refuse_another(file: Path, config: dict[str, str]) -> None:
    """Reject a file with other values, which would create another stack than the one asked for."""
    there = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("config") or {}
    for name, asked in config.items():
        if (said := there.get(name)) != asked:
            raise ConfigurationError(
                f"{file.name} exists with {name}: {said}, not {asked}: "
                "change the file, or delete it to have it written again"
            )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m event_store_infra.new_stack",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--name", required=True)
    parser.add_argument("--profile", required=True, help=f"one of {', '.join(PROFILES)}")
    parser.add_argument("--project", required=True, help="the id of the Google Cloud project")
    parser.add_argument("--region", required=True)
    parser.add_argument("--backend", required=True, help="file://DIR, gs://BUCKET or cloud (Pulumi Cloud)")
    parser.add_argument("--secrets", default="", help="the secrets provider; required with gs://")
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="the folder of Pulumi.yaml (default: this folder)"
    )
    return parser.parse_args()


def main() -> int:
    """Run the command; return its exit code."""
    arguments = _parse()
    config = {
        "gcp:project": arguments.project,
        "gcp:region": arguments.region,
        f"{NAMESPACE}profile": arguments.profile,
    }
    try:
        make(arguments.name, config, arguments.backend, arguments.secrets, arguments.folder)
    except ConfigurationError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
