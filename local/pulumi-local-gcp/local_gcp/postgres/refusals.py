"""Changes in place that Google rejects, although each value alone is allowed."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from local_gcp.resource.errors import CloudError
from local_gcp.resource.properties import Properties

# PostgreSQL's minimum for the settings that a standby must have as high as its primary, beside
# `max_connections`: https://www.postgresql.org/docs/current/hot-standby.html
_FOLLOWED: Final[Mapping[str, int]] = {
    "max_locks_per_transaction": 64,
    "max_prepared_transactions": 0,
    "max_wal_senders": 10,
    "max_worker_processes": 8,
}


def refuse_earlier_version(old: Properties, new: Properties) -> None:
    """Reject a downgrade of the major version.

    Raises:
        CloudError: The new major version is lower.
    """
    before, after = (str(each.get("databaseVersion", "")) for each in (old, new))
    if _number(after) < _number(before):
        raise CloudError(f"googleapi: Error 400: Invalid request: cannot go from {before} back to {after}.")


def refuse_smaller_replicas(primary: Properties, replicas: Iterable[Properties]) -> None:
    """Reject a primary that is larger than a replica, or has another major version.

    Args:
        primary: The primary's inputs after the change.
        replicas: The inputs of each of its replicas.

    Raises:
        CloudError: One is smaller: https://github.com/terraform-google-modules/terraform-google-sql-db/issues/210
    """
    for replica in replicas:
        sizes = [_size(str(each.get("settings", {}).get("tier", ""))) for each in (replica, primary)]
        if any(own < wanted for own, wanted in zip(*sizes, strict=True)):
            raise CloudError(
                "googleapi: Error 400: Invalid request: can not update instance: "
                "master instance can not be larger than replica."
            )
        if _number(str(replica.get("databaseVersion"))) != _number(str(primary.get("databaseVersion"))):
            raise CloudError(
                "googleapi: Error 400: Invalid request: a replica of another major version cannot follow."
            )
        own, wanted = _flags(replica), _flags(primary)
        for name in sorted({*own, *wanted} & {*_FOLLOWED, "max_connections"}):
            least = _FOLLOWED.get(name, 0)
            if int(own.get(name, least)) < int(wanted.get(name, least)):
                raise CloudError(
                    f"googleapi: Error 400: Invalid request: {name} of a replica must not be lower than the "
                    f"primary's, which is {wanted.get(name, least)}."
                )


def refuse_another_way(old: Properties, new: Properties) -> None:
    """Reject the removal of Private Service Connect from an instance.

    Raises:
        CloudError: The instance would no longer have Private Service Connect.
    """
    before, after = (each.get("settings", {}).get("ipConfiguration", {}) for each in (old, new))
    if before.get("pscConfigs") and not after.get("pscConfigs"):
        raise CloudError("googleapi: Error 400: Invalid request: Private Service Connect cannot be disabled.")


def refuse_another_network(old: Properties, new: Properties) -> None:
    """Reject a change of an AlloyDB cluster's network.

    Raises:
        CloudError: The cluster would be in another network.
    """
    before, after = (each.get("networkConfig", {}).get("network") for each in (old, new))
    if before != after:
        raise CloudError(
            "googleapi: Error 400: The request was invalid: updating field network_config.network is not "
            f"supported (current value: {before}, specified value: {after})"
        )


def _number(version: str) -> int:
    found = re.search(r"\d+$", version)
    return int(found[0]) if found else 0


def _size(tier: str) -> tuple[int, int]:
    """Return the vCPUs and the memory, in MiB, of a machine type; zeros for AlloyDB's, which may differ."""
    if custom := re.fullmatch(r"db-custom-(\d+)-(\d+)", tier):
        return int(custom[1]), int(custom[2])
    if optimized := re.fullmatch(r"db-perf-optimized-N-(\d+)", tier):
        return int(optimized[1]), int(optimized[1]) * 8192
    return 0, {"db-f1-micro": 614, "db-g1-small": 1740}.get(tier, 0)


def _flags(inputs: Properties) -> dict[str, str]:
    if "settings" in inputs:
        return {each["name"]: each["value"] for each in inputs["settings"].get("databaseFlags", [])}
    return dict(inputs.get("databaseFlags", {}))
