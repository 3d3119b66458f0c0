"""The profiles: sets of defaults, one for each kind of environment.

A stack names its profile, and its file holds only what differs from that. Values have the form of the file.
"""

from collections.abc import Mapping
from typing import Final

PROFILES: Final[Mapping[str, Mapping[str, object]]] = {
    # A laptop and CI, on the local Google Cloud.
    "local": {
        "protected": False,
        # Bounds the ordering keys: the official emulator leaks a thread per key.
        "ordering": {"partitions": 64},
        "service": {"max_instances": 1},
        "monitoring": {"enabled": False},
    },
    # Shared by developers: small, in one zone, deleted without ceremony.
    "dev": {
        "protected": False,
        "database": {"retained_backups": 3, "log_retention_days": 1, "disk_limit_gb": 50},
        "service": {"max_instances": 2},
        "monitoring": {"enabled": False},
    },
    # What prod is made of, in one zone and smaller: a rehearsal of its deployments.
    "staging": {
        "database": {"tier": "db-custom-2-7680", "disk_limit_gb": 200},
        "service": {"max_instances": 4, "memory_mib": 2048},
    },
    # A standby in another zone, instances that outlive the loss of one, a month of backups.
    "prod": {
        "database": {
            "tier": "db-custom-4-15360",
            "availability": "REGIONAL",
            "disk_size_gb": 100,
            "disk_limit_gb": 2000,
            "retained_backups": 30,
        },
        "service": {"min_instances": 2, "max_instances": 10, "cpu": 2, "memory_mib": 4096},
    },
}


def under(profile: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """Return the profile's values overridden by the stack's own; mappings are merged key by key."""
    joined = dict(profile)
    for name, value in own.items():
        beneath = profile.get(name)
        if isinstance(beneath, Mapping) and isinstance(value, Mapping):
            joined[name] = under(beneath, value)
        else:
            joined[name] = value
    return joined
