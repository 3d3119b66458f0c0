"""Cloud SQL's machine types."""

import math
import re
from typing import Final

from event_store.errors import ConfigurationError

EDITION_TIERS: Final = {
    "ENTERPRISE": r"db-custom-\d+-\d+|db-f1-micro|db-g1-small",
    "ENTERPRISE_PLUS": r"db-perf-optimized-N-\d+",
}
# https://cloud.google.com/sql/docs/postgres/machine-series-overview
_OPTIMIZED_CPUS: Final = (2, 4, 8, 16, 32, 48, 64, 80, 96, 128)
_SHARED_CORE_GIB: Final = {"db-f1-micro": 0.6, "db-g1-small": 1.7}
# From so many GiB of memory on: https://cloud.google.com/sql/docs/postgres/flags#postgres-m
_CONNECTIONS: Final = (
    *((120, 1000), (60, 800), (30, 600), (15, 500), (7.5, 400), (6, 200), (3.75, 100)),
    *((1.7, 50), (0, 25)),
)


def size_of(tier: str) -> tuple[int, float]:
    """Return the vCPUs and the memory, in GiB, of a valid tier; a shared core counts as 0 vCPUs."""
    if custom := re.fullmatch(r"db-custom-(\d+)-(\d+)", tier):
        return int(custom[1]), int(custom[2]) / 1024
    if optimized := re.fullmatch(r"db-perf-optimized-N-(\d+)", tier):
        return int(optimized[1]), int(optimized[1]) * 8.0
    return 0, _SHARED_CORE_GIB[tier]


def connections_of(tier: str) -> int:
    """Return Cloud SQL's default `max_connections` for the memory of a valid tier."""
    _, gibibytes = size_of(tier)
    return next(most for least, most in _CONNECTIONS if gibibytes >= least)


def check_tier(path: str, tier: str, edition: str) -> None:
    """Reject a tier that the edition does not have.

    Raises:
        ConfigurationError: The edition has other tiers, which the message lists.
    """
    if not re.fullmatch(EDITION_TIERS[edition], tier):
        fitting = EDITION_TIERS[edition].replace(r"\d+", "<n>").replace("|", ", ")
        raise ConfigurationError(f"{path} is {tier!r}, but {edition} has {fitting}")
    optimized = re.fullmatch(r"db-perf-optimized-N-(\d+)", tier)
    if optimized is not None and int(optimized[1]) not in _OPTIMIZED_CPUS:
        allowed = ", ".join(map(str, _OPTIMIZED_CPUS))
        raise ConfigurationError(f"{path} has {optimized[1]} vCPUs, but must have one of {allowed}")
    custom = re.fullmatch(r"db-custom-(\d+)-(\d+)", tier)
    if custom is None:
        return
    cpus, mebibytes = int(custom[1]), int(custom[2])
    if not (cpus == 1 or (cpus % 2 == 0 and 2 <= cpus <= 96)):  # noqa: PLR2004 # Google's limit, in the message
        raise ConfigurationError(f"{path} has {cpus} vCPUs, but must have 1 or an even number up to 96")
    lowest, highest = max(3840, math.ceil(cpus * 0.9 * 1024)), int(cpus * 6.5 * 1024)
    if not lowest <= mebibytes <= highest or mebibytes % 256:
        raise ConfigurationError(
            f"{path} has {mebibytes} MiB, "
            f"but with {cpus} vCPU must have {lowest} to {highest} in steps of 256"
        )
