"""Schemas, created on the running Pub/Sub."""

from contextlib import suppress
from typing import Any

from google.api_core import exceptions
from google.pubsub_v1 import types

from local_gcp.pubsub_api import pubsub_rules
from local_gcp.pubsub_api.broker import CALL, Broker, exists, google_errors
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record


class SchemaKind(Kind):
    """A schema; another definition makes a new revision of it."""

    limits = pubsub_rules.SCHEMA

    def __init__(self, bus: Broker) -> None:
        self._bus = bus

    def identify(self, inputs: Properties, place: Place) -> str:
        """Return the schema's full name."""
        return f"projects/{place.of(inputs).project}/schemas/{inputs['name']}"

    async def create(self, draft: Draft) -> Properties:
        """Create the schema, or adopt an existing one that is not recorded."""
        parent, _, identity = draft.id.rpartition("/schemas/")
        with google_errors():
            try:
                await self._bus.schemas.create_schema(
                    parent=parent, schema_id=identity, schema=_message(draft), **CALL
                )
            except exceptions.AlreadyExists:
                await self._take_over(draft)
        return {"project": draft.place.of(draft.inputs).project, **draft.inputs}

    async def update(self, record: Record, draft: Draft) -> Properties:
        """Commit a revision."""
        with google_errors():
            await self._commit(draft)
        return {**record.outputs, **draft.inputs}

    async def delete(self, record: Record) -> None:
        """Delete the schema; its topics stay, and accept no more messages."""
        with google_errors(), suppress(exceptions.NotFound):
            await self._bus.schemas.delete_schema(name=record.id, **CALL)

    async def exists(self, record: Record) -> bool:
        """Tell whether Pub/Sub has the schema."""
        return await exists(self._bus.schemas.get_schema(name=record.id, **CALL))

    async def restore(self, record: Record) -> None:
        """Create the schema again if Pub/Sub has lost it."""
        await self.create(Draft(id=record.id, inputs=record.inputs, place=Place()))

    async def _take_over(self, draft: Draft) -> None:
        # An identical revision would use up one of the 20 that a schema may have.
        # No definition is valid in both types, so the type needs no comparison.
        current, wanted = await self._bus.schemas.get_schema(name=draft.id, **CALL), _message(draft)
        if current.definition != wanted.definition:
            await self._commit(draft)

    async def _commit(self, draft: Draft) -> None:
        await self._bus.schemas.commit_schema(name=draft.id, schema=_message(draft), **CALL)


def _message(draft: Draft) -> Any:
    inputs = draft.inputs
    return types.Schema(name=draft.id, type_=inputs["type"], definition=inputs.get("definition", ""))
