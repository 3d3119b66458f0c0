"""The settings of the local Google Cloud: ports and choices, made by the first `up` and stored."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import pubsub_emulator
from local_gcp.daemon.state_directory import State
from local_gcp.errors import SetupError
from local_gcp.rights.rights import Mode
from local_gcp.system.ports import free_port

PORTS: Final = {"service_port": 8080, "postgres_port": 54320, "pubsub_port": 8085}  # if free


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the local Google Cloud, chosen by the first `up` and stored.

    Attributes:
        service_port: The port of the first Cloud Run service's front.
        postgres_port: The port of the first embedded PostgreSQL.
        pubsub_port: The port of the embedded Pub/Sub or Google's emulator.
        pubsub: `embedded`, `emulator`, or the HOST:PORT of a Pub/Sub that runs already.
        postgres: `embedded` or `external`.
        rights: `audit` warns of calls that Google would reject, `enforce` rejects them.
        token: The secret that access tokens are signed with.
    """

    service_port: int
    postgres_port: int
    pubsub_port: int
    pubsub: str = "embedded"
    postgres: str = "embedded"
    rights: Mode = "audit"
    token: str

    @classmethod
    def load(cls, state: State) -> "Settings | None":
        """Return the stored settings, or None."""
        if not state.settings.exists():
            return None
        try:
            return cls(**json.loads(state.settings.read_text()))
        except (ValueError, TypeError):
            raise SetupError(
                f"{state.settings} is not of this release: delete it, and the ports are chosen anew"
            ) from None

    @classmethod
    def choose(
        cls, state: State, ports: Mapping[str, int | None], variables: Mapping[str, str]
    ) -> "Settings":
        """Choose the settings that are new or asked for now, and store all.

        Args:
            state: The state directory that stores them.
            ports: By the names of the attributes; None for the stored port, 0 for any free port.
            variables: The developer's environment.

        Raises:
            SetupError: A variable has an unknown value.
        """
        pubsub = variables.get("PUBSUB_EMULATOR_HOST") or _choice(
            variables, "LOCAL_GCP_PUBSUB", "embedded", "emulator"
        )
        postgres = _choice(variables, "LOCAL_GCP_POSTGRES", "embedded", "external")
        rights = cast("Mode", _choice(variables, "LOCAL_GCP_RIGHTS", "audit", "enforce"))
        kept = cls.load(state)
        if kept is None:
            free: dict[str, Any] = {name: free_port(port) for name, port in PORTS.items()}
            kept = cls(token=f"local-{secrets.token_hex(24)}", **free)
        asked: dict[str, Any] = {
            name: port or free_port() for name, port in ports.items() if port is not None
        }
        chosen = replace(kept, pubsub=pubsub, postgres=postgres, rights=rights, **asked)
        state.settings.write_text(json.dumps(asdict(chosen), indent=1))
        state.settings.chmod(0o600)
        return chosen

    def fingerprint(self, variables: Mapping[str, str]) -> str:
        """Return a hash of all that a daemon depends on; one started with another hash is out of date."""
        digest = hashlib.sha256(repr(self).encode())
        if self.postgres == "external":
            given = sorted(each for each in variables.items() if each[0].startswith("PG"))
            digest.update(repr(given).encode())
        for folder in (Path(__file__).parents[1], Path(pubsub_emulator.__file__).parent):
            for path in sorted(folder.rglob("*.py")):
                digest.update(path.read_bytes())
        return digest.hexdigest()


def _choice(variables: Mapping[str, str], name: str, *choices: str) -> str:
    value = variables.get(name) or choices[0]
    if value not in choices:
        raise SetupError(f"{name} is {value!r}, but must be one of {', '.join(choices)}")
    return value
