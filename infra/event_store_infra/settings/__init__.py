"""The settings of a stack: every key that `Pulumi.<stack>.yaml` may hold, parsed once and frozen.

The defaults are those of a small but safe installation; a profile sets others for its kind of environment,
and a stack's file holds only what differs from these. Combinations that Google Cloud refuses are refused
here, so that a mistake costs no half-made stack.
"""

from event_store_infra.settings.database.alloydb import AlloyDBSettings
from event_store_infra.settings.database.database import DatabaseSettings
from event_store_infra.settings.monitoring import MonitoringSettings
from event_store_infra.settings.network import NetworkSettings
from event_store_infra.settings.rollout import RolloutSettings
from event_store_infra.settings.service import ServiceSettings
from event_store_infra.settings.stack import Settings

__all__ = [
    "AlloyDBSettings",
    "DatabaseSettings",
    "MonitoringSettings",
    "NetworkSettings",
    "RolloutSettings",
    "ServiceSettings",
    "Settings",
]
