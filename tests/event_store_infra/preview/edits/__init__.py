"""Edits of stacks that stand: each with the engine's plan, in `plans/` beside this, and the right verdict.

`make plans` makes the plans anew. An edit is a line of a table here: what is changed, and what the guard is
expected to say.
"""

from typing import Final

from tests.event_store_infra.preview.edits import (
    acknowledged,
    alloydb,
    at_once,
    bus,
    bus_properties,
    database_properties,
    engine_options,
    flags,
    generations,
    identity_properties,
    key_properties,
    lost_outside,
    monitoring_properties,
    network_properties,
    program,
    properties,
    protected,
    repository_properties,
    small,
    stack,
    workload_properties,
)
from tests.event_store_infra.preview.edits.bases import BASES
from tests.event_store_infra.preview.edits.edit import Edit

EDITS: Final[tuple[Edit, ...]] = (
    *protected.EDITS,
    *bus.EDITS,
    *stack.EDITS,
    *program.EDITS,
    *properties.EDITS,
    *acknowledged.EDITS,
    *flags.EDITS,
    *alloydb.EDITS,
    *generations.EDITS,
    *small.EDITS,
    *database_properties.EDITS,
    *bus_properties.EDITS,
    *workload_properties.EDITS,
    *network_properties.EDITS,
    *identity_properties.EDITS,
    *monitoring_properties.EDITS,
    *key_properties.EDITS,
    *repository_properties.EDITS,
    *engine_options.EDITS,
    *at_once.EDITS,
    *lost_outside.EDITS,
)

__all__ = ["BASES", "EDITS"]
