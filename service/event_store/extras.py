"""What an extra of the distribution brings, and the one line that says so where it is missing."""

from typing import Final

_SERVER: Final = (
    *("alembic", "sqlalchemy", "psycopg_pool", "uvloop"),
    *("grpc_health", "grpc_reflection", "google"),
)
_OF: Final = {**dict.fromkeys(_SERVER, "server"), "psycopg": "consumer"}
_NO_LIBPQ: Final = "no pq wrapper available"  # psycopg is there, and neither its binary package nor libpq


def missing(error: ImportError) -> str:
    """Return what to install for an import that failed; empty if no extra brings it."""
    if _NO_LIBPQ in str(error):
        return "psycopg finds no libpq here: install gcp-event-store[consumer]"
    package = (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and package in _OF:
        return f"the package {error.name} is not installed here: install gcp-event-store[{_OF[package]}]"
    return ""
