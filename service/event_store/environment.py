"""Parse the environment variables of the service.

`infra` builds the containers' environment with `Environment.variables`, and the service parses it with
`Environment.parse`. A test checks that one inverts the other, so the names always agree.

libpq's own variables (`PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGPASSWORD`, `PGSSLMODE` …) name the
database. `PUBSUB_EMULATOR_HOST` names a Pub/Sub emulator, and `GCE_METADATA_HOST` the metadata server.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from event_store.errors import ConfigurationError

logger = logging.getLogger(__name__)

HOST: Final = "EVENT_STORE_HOST"
PORT: Final = "PORT"  # Cloud Run's own name
DATABASE_LOGIN: Final = "EVENT_STORE_DATABASE_LOGIN"
DATABASE_CA: Final = "EVENT_STORE_DATABASE_CA"
REPLICA_HOST: Final = "EVENT_STORE_REPLICA_HOST"
REPLICA_PORT: Final = "EVENT_STORE_REPLICA_PORT"
REPLICA_CA: Final = "EVENT_STORE_REPLICA_CA"
DATABASE_CONNECTIONS: Final = "EVENT_STORE_DATABASE_CONNECTIONS"
DATABASE_WAIT_SECONDS: Final = "EVENT_STORE_DATABASE_WAIT_SECONDS"
STREAM_SECONDS: Final = "EVENT_STORE_STREAM_SECONDS"
ROUTING: Final = "EVENT_STORE_ROUTING"
RELAY: Final = "EVENT_STORE_RELAY"
LOG_LEVEL: Final = "EVENT_STORE_LOG_LEVEL"
METADATA_HOST: Final = "GCE_METADATA_HOST"  # Google's own name; `HOST:PORT`, empty for Google's own server

# The connections of a process that relays: of the relay, its listener and the replayer.
RELAY_CONNECTIONS: Final = 3
# Concurrent imports, each with a connection of its own.
IMPORT_CONNECTIONS: Final = 4
# The connections of an instance in addition to `database_connections`: those above, and the listener for
# subscriptions.
CONNECTIONS_BESIDE_REQUESTS: Final = RELAY_CONNECTIONS + IMPORT_CONNECTIONS + 1

LOGINS: Final = ("libpq", "iam")
RELAYS: Final = ("on", "off")
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The settings of the service from its environment.

    Attributes:
        host: The address to listen on. Default: 127.0.0.1; the container image sets 0.0.0.0.
        port: The port to listen on, 0 to 65535; 0 lets the system choose. Default: 8080.
        database_login: `libpq` for libpq's own means (the default); `iam` sends a Google access token as the
            password.
        database_ca: The PEM certificate of the authority of the database's server certificate; empty (the
            default) for none.
        replica_host: The host of a read replica, from which the older part of the log is read; empty (the
            default) for none.
        replica_port: The port of the replica, 1 to 65535. Default: 5432.
        replica_ca: The PEM certificate of the authority of the replica's server certificate; empty (the
            default) for none.
        database_connections: The highest number of connections of one instance for requests, 2 to 100.
            Default: 6. In addition the relay and its listener have two, the replayer has one, subscriptions
            share one, and each import has one.
        database_wait_seconds: How long `serve` and `migrate` wait at their start for a database that is
            unreachable or rejects the login, 0 to 3600 seconds. Default: 0, which fails at once.
        stream_seconds: The time limit after which the service ends a stream, 0 to 86400 seconds. Default: 0,
            which is no limit.
        routing: The JSON of `topology.Routing`; empty (the default) publishes nothing and rejects no event
            for its types.
        relay: `on` (the default) runs the relay inside `serve`; `off` leaves it to a process of its own.
        log_level: The least severe level to log: DEBUG, INFO (the default), WARNING or ERROR. The heartbeat
            is logged at any level.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    database_login: str = "libpq"
    database_ca: str = ""
    replica_host: str = ""
    replica_port: int = 5432
    replica_ca: str = ""
    database_connections: int = 6
    database_wait_seconds: int = 0
    stream_seconds: int = 0
    routing: str = ""
    relay: str = "on"
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        """Check the ranges and choices of all settings."""
        _check_range(PORT, self.port, 0, 65535)
        _check_range(REPLICA_PORT, self.replica_port, 1, 65535)
        _check_range(DATABASE_CONNECTIONS, self.database_connections, 2, 100)
        _check_range(DATABASE_WAIT_SECONDS, self.database_wait_seconds, 0, 3600)
        _check_range(STREAM_SECONDS, self.stream_seconds, 0, 86_400)
        _check_choice(DATABASE_LOGIN, self.database_login, LOGINS)
        _check_choice(RELAY, self.relay, RELAYS)
        _check_choice(LOG_LEVEL, self.log_level, LOG_LEVELS)

    @classmethod
    def parse(cls, variables: Mapping[str, str]) -> "Environment":
        """Parse the environment of a process; an unset variable has its default.

        On Cloud Run an unknown variable with the prefix EVENT_STORE_ belongs to a later release, whose
        program deploys this image for a rollback: it is ignored with a warning.

        Raises:
            ConfigurationError: A value is out of its range or, elsewhere, a variable with the prefix is
                unknown.
        """
        unknown = sorted(k for k in variables if k.startswith("EVENT_STORE_") and k not in _NAMES.values())
        unknown = [name for name in unknown if name not in _OTHERS_OF_OURS]
        if unknown and not any(name in variables for name in _ON_CLOUD_RUN):
            raise ConfigurationError(
                f"unknown variable {unknown[0]}: unset it, or use one of {', '.join(sorted(_NAMES.values()))}"
            )
        for name in unknown:
            logger.warning("%s is not a variable of this release and is ignored", name)
        given = {field: variables[name] for field, name in _NAMES.items() if name in variables}
        numbers = {field: _number(_NAMES[field], given.pop(field)) for field in _NUMBERS if field in given}
        return cls(**given, **numbers)  # type: ignore[arg-type] # mypy cannot see which field is a number

    def variables(self) -> dict[str, str]:
        """Return the variables that parse to these settings, without those at their defaults."""
        default = Environment()
        return {
            name: str(getattr(self, field))
            for field, name in _NAMES.items()
            if getattr(self, field) != getattr(default, field)
        }


_NAMES: Final = {
    "host": HOST,
    "port": PORT,
    "database_login": DATABASE_LOGIN,
    "database_ca": DATABASE_CA,
    "replica_host": REPLICA_HOST,
    "replica_port": REPLICA_PORT,
    "replica_ca": REPLICA_CA,
    "database_connections": DATABASE_CONNECTIONS,
    "database_wait_seconds": DATABASE_WAIT_SECONDS,
    "stream_seconds": STREAM_SECONDS,
    "routing": ROUTING,
    "relay": RELAY,
    "log_level": LOG_LEVEL,
}
_NUMBERS: Final = (
    "port",
    "replica_port",
    "database_connections",
    "database_wait_seconds",
    "stream_seconds",
)
# Set in a service, a job and a worker pool: https://docs.cloud.google.com/run/docs/container-contract#env-vars
_ON_CLOUD_RUN: Final = ("K_SERVICE", "CLOUD_RUN_JOB", "CLOUD_RUN_WORKER_POOL")
# Read by the client's commands, which share a shell with the service.
_OTHERS_OF_OURS: Final = ("EVENT_STORE_TARGET",)


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"{name} is {text!r}: use a whole number") from None


def _check_range(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise ConfigurationError(f"{name} is {value}: use a whole number from {lowest} to {highest}")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigurationError(f"{name} is {value!r}: use one of {', '.join(choices)}")
