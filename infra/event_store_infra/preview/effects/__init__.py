"""What each change of each resource does: one table for each type, with the page that says so.

    effect.py    how bad, what, and what to do instead
    rules.py     which direction of a change has the effect
    deletion.py  properties that many types have in common
    told.py      the effects of one step
    database/    Cloud SQL and AlloyDB; sql_settings.py is what an instance's settings do
    bus/         topics, subscriptions and schemas; delivery.py is how a subscription delivers
    workload/    Cloud Run: containers, by their variables (variables.py) and routes (routes.py)
    storage/     objects, rows, images, secrets and keys; selections.py is what a clean-up selects
    rights/      grants, of which there is a type for everything; key_grants.py is those on keys
    project/     APIs, identities, network, names and alerts

A type without a table counts as one that holds data; a property that its table lacks counts as less safe.
"""

import fnmatch
from collections.abc import Mapping
from itertools import chain
from typing import Final

from event_store_infra.preview.effects.bus import pubsub
from event_store_infra.preview.effects.database import alloydb, sql
from event_store_infra.preview.effects.effect import Effects
from event_store_infra.preview.effects.project import alerting, dns, network, operations
from event_store_infra.preview.effects.rights import grants
from event_store_infra.preview.effects.storage import bigquery, keys, registry, storage
from event_store_infra.preview.effects.workload import run

_PRODUCTS: Final = (
    *(sql, alloydb, pubsub, run, network, keys),
    *(storage, bigquery, registry, operations, alerting, dns),
)
TABLES: Final[Mapping[str, Effects]] = dict(chain.from_iterable(each.TABLES.items() for each in _PRODUCTS))


def is_grant(resource_type: str) -> bool:
    """Tell whether a type is a right that somebody has on something."""
    return resource_type.lower().endswith(("iammember", "iambinding", "iampolicy"))


def table_of(resource_type: str) -> Effects | None:
    """Return the table of a type, or None if nobody has written one.

    Args:
        resource_type: As in `gcp:pubsub/topic:Topic`.
    """
    if resource_type in TABLES:
        return TABLES[resource_type]
    patterns = (each for each in grants.PATTERNS if fnmatch.fnmatchcase(resource_type, each))
    return next((grants.PATTERNS[each] for each in patterns), None)
