"""What a change of each environment variable of our containers does."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from event_store import environment
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Rule, less_safe, stops
from event_store_infra.preview.effects.rules import becomes, begins, drops, falls, harmless, moves, towards
from event_store_infra.preview.effects.workload.routes import of_routing
from event_store_infra.preview.plan.plan import UNKNOWN as LATER

_PAGE: Final = "service/event_store/environment.py"
_LONGEST_REQUEST: Final = 3600  # https://docs.cloud.google.com/run/docs/configuring/request-timeout
RELAY_OFF: Final = stops("every consumer: the service no longer publishes, and nothing else does", _PAGE)
_CUT: Final = less_safe("Cloud Run ends streams in the middle of a message, before the service does", _PAGE)
_UNKNOWN: Final = less_safe(
    "nobody has said what a change of it does: no table in event_store_infra/preview/effects names it", _PAGE
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


# Beside the routing table, which has effects of its own.
_VARIABLES: Final[Mapping[str, Rule]] = {
    **harmless(
        # A revision that does not listen, or cannot log in, gets no requests: the update fails instead.
        *(environment.HOST, environment.PORT, environment.DATABASE_LOGIN, "PGUSER", "PGPORT"),
        # Another instance is judged where it is made, and the log where it leaves the stack.
        "PGHOST",
        # Without a replica the primary is read.
        *(environment.REPLICA_HOST, environment.REPLICA_PORT, environment.REPLICA_CA),
        *(environment.DATABASE_CONNECTIONS, environment.DATABASE_WAIT_SECONDS),
        # Every level has the errors and the vitals, by which alerts go.
        environment.LOG_LEVEL,
    ),
    "PGDATABASE": moves(
        stops("whoever reads or appends: another database has another log, or none", "docs/howto/restore.md")
    ),
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


def of_variable(name: str, old: Any, new: Any, *, relays: bool) -> Iterator[Effect]:
    """Yield what another value of a variable of our containers does.

    Args:
        name: The variable.
        old: Its value; None for none.
        new: What it would be.
        relays: Whether the container publishes.
    """
    if name == environment.ROUTING:
        later = "{" if LATER in (old, new) else ""
        yield from of_routing(later or str(old or ""), later or str(new or ""), relays=relays)
    elif name in _VARIABLES:
        yield _VARIABLES[name](old, new)
    elif name.startswith(("EVENT_STORE_", "PG")):
        yield _UNKNOWN  # the image reads no others
