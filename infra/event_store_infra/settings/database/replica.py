"""The least size of a read replica, or of AlloyDB's read pool: that of its primary.

Google refuses a primary that is larger than its replica:
https://github.com/terraform-google-modules/terraform-google-sql-db/issues/210. PostgreSQL refuses a standby
with settings below its primary's: https://www.postgresql.org/docs/current/hot-standby.html.
"""

from collections.abc import Mapping
from typing import Final

from event_store_infra.settings.database.tier import connections_of, size_of

# PostgreSQL's settings that a standby must have as high as its primary, with its own values.
FOLLOWED_FLAGS: Final[Mapping[str, int]] = {
    "max_locks_per_transaction": 64,
    "max_prepared_transactions": 0,
    "max_wal_senders": 10,
    "max_worker_processes": 8,
}
CONNECTIONS: Final = "max_connections"


def shortfall(
    primary: tuple[str, Mapping[str, str]], replica: tuple[str, Mapping[str, str]]
) -> tuple[str, ...]:
    """Return the values that are lower at the replica than at the primary: `tier`, and names of flags.

    Args:
        primary: Its tier and its flags; an empty tier where the machines need not be alike.
        replica: The same of the read replica or read pool.
    """
    (tier, flags), (own_tier, own_flags) = primary, replica
    lower = [
        name
        for name, value in {**FOLLOWED_FLAGS, CONNECTIONS: 0}.items()
        if _value(name, value, own_tier, own_flags) < _value(name, value, tier, flags)
    ]
    if CONNECTIONS not in {**flags, **own_flags}:
        lower = [name for name in lower if name != CONNECTIONS]  # they follow from the tier, which is named
    sizes = zip(size_of(own_tier), size_of(tier), strict=True) if tier and own_tier else ()
    is_smaller = any(own < wanted for own, wanted in sizes)
    return (*(["tier"] if is_smaller else []), *sorted(lower))


def _value(name: str, own: int, tier: str, flags: Mapping[str, str]) -> int:
    """Return a flag's value: as set, PostgreSQL's default, or Cloud SQL's default for the memory."""
    text = flags.get(name, "")
    if text.isdecimal():
        return int(text)
    return connections_of(tier) if name == CONNECTIONS and tier else own
