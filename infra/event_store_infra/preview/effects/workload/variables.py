"""What a change of each environment variable of our containers does.

Beside those that the service reads itself there are those of its libraries: libpq's begin with `PG`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from event_store import environment
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Rule, less_safe, loses, stops
from event_store_infra.preview.effects.rules import (
    arrives,
    becomes,
    begins,
    changes,
    drops,
    falls,
    harmless,
    swaps,
    towards,
)
from event_store_infra.preview.effects.workload.routes import of_routing
from event_store_infra.preview.plan.plan import UNKNOWN as LATER

_OF_TRACES: Final = (
    "OTEL_"  # https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
)
_PAGE: Final = "service/event_store/environment.py"
_LONGEST_REQUEST: Final = 3600  # https://docs.cloud.google.com/run/docs/configuring/request-timeout
RELAY_OFF: Final = stops("every consumer: the service no longer publishes, and nothing else does", _PAGE)
_CUT: Final = less_safe("Cloud Run ends streams in the middle of a message, before the service does", _PAGE)
_UNKNOWN: Final = less_safe(
    "nobody has said what a change of it does: no table in event_store_infra/preview/effects names it", _PAGE
)
# Of another database, by what uses it.
APPENDS_ELSEWHERE: Final = loses(
    "sight of the log, unless the new value leads to the same database: events that are appended to another "
    "one have positions of its own, and no later update brings them here",
    "leave the variable as it is, and restore or move the database by the stack's file: see "
    "docs/howto/restore.md.",
    "docs/howto/restore.md",
)
PUBLISHES_ELSEWHERE: Final = stops(
    "every consumer, unless the new value leads to the same database: another one's events are published",
    "docs/howto/restore.md",
)
MIGRATES_ELSEWHERE: Final = less_safe(
    "migrations run in another database, unless the new value leads to the same one", "docs/howto/restore.md"
)
_UNCHECKED: Final = less_safe("who answers as the database is checked less or not at all", _PAGE)


def _outlasts(old: Any, new: Any) -> Effect:
    """0 or none is a stream without an end."""
    before, after = (float(each) if str(each or "").isdigit() else 0 for each in (old, new))
    is_cut = not 0 < after < _LONGEST_REQUEST
    return _CUT if is_cut and 0 < before < _LONGEST_REQUEST else HARMLESS


def _seconds(old: Any, new: Any) -> Effect:
    shorter = less_safe(
        "reads, followers and imports that take longer than that end, and have to resume",
        "docs/howto/subscriptions.md",
    )
    ended = falls(shorter, unset=None)(*(None if each in ("0", None) else each for each in (old, new)))
    return _outlasts(old, new) if ended == HARMLESS else ended


def _another(old: Any, new: Any) -> Effect:
    """An address that only the update knows is that of an instance, which is judged as it is made."""
    return HARMLESS if LATER in (old, new) else swaps(APPENDS_ELSEWHERE)(old, new)


def _another_replica(old: Any, new: Any) -> Effect:
    """Whoever follows the log by a replica of another one gets that one's events."""
    reads = stops(
        "whoever reads, unless the new value leads to a replica of the same database: they get other events",
        "docs/howto/restore.md",
    )
    return HARMLESS if LATER in (old, new) else swaps(reads)(old, new)


# Beside the routing table, which has effects of its own.
_VARIABLES: Final[Mapping[str, Rule]] = {
    **harmless(
        # A revision that does not listen, or cannot log in, gets no requests: the update fails instead.
        *(environment.HOST, environment.PORT, environment.DATABASE_LOGIN, "PGUSER", "PGPORT"),
        # Without a replica the primary is read.
        *(environment.REPLICA_PORT, environment.REPLICA_CA),
        *(environment.DATABASE_CONNECTIONS, environment.DATABASE_WAIT_SECONDS),
        # Every level has the errors and the heartbeat, which alerts read.
        environment.LOG_LEVEL,
    ),
    **dict.fromkeys(("PGHOST", "PGDATABASE"), _another),
    # Each of these counts more than the host: https://www.postgresql.org/docs/current/libpq-envars.html
    **dict.fromkeys(("PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE"), arrives(APPENDS_ELSEWHERE)),
    "GOOGLE_APPLICATION_CREDENTIALS": changes(
        less_safe(
            "it acts as another account, and has only what that one is granted",
            "https://docs.cloud.google.com/docs/authentication/application-default-credentials",
        )
    ),
    environment.REPLICA_HOST: _another_replica,
    environment.DATABASE_CA: drops(_UNCHECKED),
    "PGSSLMODE": towards(
        *(_UNCHECKED, "verify-full", "verify-ca", "require", "prefer", "allow", "disable"), unset="prefer"
    ),
    environment.STREAM_SECONDS: _seconds,
    environment.RELAY: becomes(RELAY_OFF, "off"),
    "PUBSUB_EMULATOR_HOST": begins(
        stops(
            "every consumer: events go to an emulator", "https://docs.cloud.google.com/pubsub/docs/emulator"
        )
    ),
}


def of_variable(name: str, old: Any, new: Any, *, relays: bool, elsewhere: Effect) -> Iterator[Effect]:
    """Yield what another value of a variable of our containers does.

    Args:
        name: The variable.
        old: Its value; None for none.
        new: What it would be.
        relays: Whether the container publishes.
        elsewhere: What it does that the container uses another database.
    """
    if name == environment.ROUTING:
        later = "{" if LATER in (old, new) else ""
        yield from of_routing(later or str(old or ""), later or str(new or ""), relays=relays)
    elif name in _VARIABLES:
        effect = _VARIABLES[name](old, new)
        yield elsewhere if effect == APPENDS_ELSEWHERE else effect
    elif not name.startswith(_OF_TRACES):
        yield _UNKNOWN  # a library of the image may read it
