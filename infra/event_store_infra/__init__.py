"""An event store and event bus on Google Cloud: `deploy` for the whole, and each of its components.

Each name is loaded when it is first used: a program that takes one component does not wait for the others,
and the preview guard runs without Pulumi.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from event_store_infra.components.bus import EventBus, EventBusArgs
    from event_store_infra.components.database.alloydb import AlloyDB, AlloyDBArgs
    from event_store_infra.components.database.connection import DatabaseConnection, ReplicaConnection
    from event_store_infra.components.database.database import Database, DatabaseArgs
    from event_store_infra.components.database.joined_database import JoinedDatabase, JoinedDatabaseArgs
    from event_store_infra.components.delivery.accounts import Accounts, AccountsArgs
    from event_store_infra.components.delivery.delivery import ContinuousDelivery
    from event_store_infra.components.monitoring import Monitoring, MonitoringArgs, Watched
    from event_store_infra.components.network.joined_network import JoinedNetwork, JoinedNetworkArgs
    from event_store_infra.components.network.network import Network, NetworkArgs
    from event_store_infra.components.project.project_services import ProjectServices, ProjectServicesArgs
    from event_store_infra.components.registry.image_build import ImageBuild
    from event_store_infra.components.registry.promoted_image import PromotedImage, PromotedImageArgs
    from event_store_infra.components.registry.registry import Registry, RegistryArgs
    from event_store_infra.components.workload.event_store import EventStore, EventStoreArgs
    from event_store_infra.components.workload.migrations import Migrations, MigrationsArgs
    from event_store_infra.components.workload.relay import Relay
    from event_store_infra.components.workload.workload import WorkloadArgs
    from event_store_infra.refusal import one_message
    from event_store_infra.settings import (
        AlloyDBSettings,
        DatabaseSettings,
        MonitoringSettings,
        NetworkSettings,
        RolloutSettings,
        ServiceSettings,
        Settings,
    )
    from event_store_infra.settings.bootstrap import BootstrapSettings
    from event_store_infra.stack import Outputs, deploy

__all__ = [
    "Accounts",
    "AccountsArgs",
    "AlloyDB",
    "AlloyDBArgs",
    "AlloyDBSettings",
    "BootstrapSettings",
    "ContinuousDelivery",
    "Database",
    "DatabaseArgs",
    "DatabaseConnection",
    "DatabaseSettings",
    "EventBus",
    "EventBusArgs",
    "EventStore",
    "EventStoreArgs",
    "ImageBuild",
    "JoinedDatabase",
    "JoinedDatabaseArgs",
    "JoinedNetwork",
    "JoinedNetworkArgs",
    "Migrations",
    "MigrationsArgs",
    "Monitoring",
    "MonitoringArgs",
    "MonitoringSettings",
    "Network",
    "NetworkArgs",
    "NetworkSettings",
    "Outputs",
    "ProjectServices",
    "ProjectServicesArgs",
    "PromotedImage",
    "PromotedImageArgs",
    "Registry",
    "RegistryArgs",
    "Relay",
    "ReplicaConnection",
    "RolloutSettings",
    "ServiceSettings",
    "Settings",
    "Watched",
    "WorkloadArgs",
    "deploy",
    "one_message",
]
_PACKAGE = "event_store_infra"
_MODULES = {
    "Accounts": "components.delivery.accounts",
    "AlloyDB": "components.database.alloydb",
    "BootstrapSettings": "settings.bootstrap",
    "ContinuousDelivery": "components.delivery.delivery",
    "Database": "components.database.database",
    "DatabaseConnection": "components.database.connection",
    "EventBus": "components.bus",
    "EventStore": "components.workload.event_store",
    "ImageBuild": "components.registry.image_build",
    "JoinedDatabase": "components.database.joined_database",
    "JoinedNetwork": "components.network.joined_network",
    "Migrations": "components.workload.migrations",
    "Monitoring": "components.monitoring",
    "Network": "components.network.network",
    "Outputs": "stack",
    "ProjectServices": "components.project.project_services",
    "PromotedImage": "components.registry.promoted_image",
    "Registry": "components.registry.registry",
    "Relay": "components.workload.relay",
    "ReplicaConnection": "components.database.connection",
    "Watched": "components.monitoring",
    "WorkloadArgs": "components.workload.workload",
    "deploy": "stack",
    "one_message": "refusal",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _MODULES.get(name) or _MODULES.get(name.removesuffix("Args"), "settings")
    value = globals()[name] = getattr(importlib.import_module(f"{_PACKAGE}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
