"""The service google.pubsub.v1.SchemaService: manage schemas and validate messages."""

from collections.abc import Iterable
from typing import Any

from pubsub_emulator import wire
from pubsub_emulator.api.page import page
from pubsub_emulator.api.rpc import Methods
from pubsub_emulator.broker import limits
from pubsub_emulator.broker.catalog import Catalog
from pubsub_emulator.errors import InvalidArgumentError
from pubsub_emulator.schema.definition import ENCODINGS, parse_definition, takes
from pubsub_emulator.schema.schema import Revision

BASIC, FULL = 1, 2  # SchemaView


class Schemas:
    """Serve the SchemaService calls on a catalog.

    Args:
        catalog: The resources.
    """

    service = "google.pubsub.v1.SchemaService"

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def methods(self) -> Methods:
        """The handlers of the service, by method name."""
        return {
            "CreateSchema": (wire.CreateSchemaRequest, self._create),
            "GetSchema": (wire.GetSchemaRequest, self._get),
            "ListSchemas": (wire.ListSchemasRequest, self._list),
            "ListSchemaRevisions": (wire.ListSchemaRevisionsRequest, self._list_revisions),
            "CommitSchema": (wire.CommitSchemaRequest, self._commit),
            "RollbackSchema": (wire.RollbackSchemaRequest, self._roll_back),
            "DeleteSchemaRevision": (wire.DeleteSchemaRevisionRequest, self._delete_revision),
            "DeleteSchema": (wire.DeleteSchemaRequest, self._delete),
            "ValidateSchema": (wire.ValidateSchemaRequest, self._validate),
            "ValidateMessage": (wire.ValidateMessageRequest, self._validate_message),
        }

    def _create(self, request: Any) -> Any:
        request.schema.name = f"{request.parent}/schemas/{request.schema_id}"
        return self._catalog.create_schema(request.schema).newest.config

    def _get(self, request: Any) -> Any:
        return _viewed(self._revision(request.name).config, request.view or FULL)

    def _list(self, request: Any) -> Any:
        limits.check_project(request.parent)
        prefix = f"{request.parent}/"
        names, token = page((name for name in self._catalog.schemas if name.startswith(prefix)), request)
        found = (self._catalog.schemas[name].newest.config for name in names)
        return wire.ListSchemasResponse(schemas=_all_viewed(found, request.view), next_page_token=token)

    def _list_revisions(self, request: Any) -> Any:
        revisions = self._catalog.schema(request.name).newest_first()
        # Newer revisions have lower keys; a page's token is its last key.
        by_key = {f"{2**31 - each.number:010}": each for each in revisions}
        keys, token = page(by_key, request)
        found = (by_key[key].config for key in keys)
        return wire.ListSchemaRevisionsResponse(
            schemas=_all_viewed(found, request.view), next_page_token=token
        )

    def _commit(self, request: Any) -> Any:
        return self._catalog.schema(request.name).commit(request.schema)

    def _roll_back(self, request: Any) -> Any:
        return self._catalog.schema(request.name).roll_back(request.revision_id)

    def _delete_revision(self, request: Any) -> Any:
        name, at, revision_id = request.name.partition("@")
        schema = self._catalog.schema(name)
        if not at:
            raise InvalidArgumentError(f"{name} names no revision: give {name}@REVISION.")
        return schema.delete_revision(revision_id)

    def _delete(self, request: Any) -> Any:
        self._catalog.delete_schema(request.name)
        return wire.Empty()

    def _validate(self, request: Any) -> Any:
        limits.check_project(request.parent)
        parse_definition(request.schema)
        return wire.ValidateSchemaResponse()

    def _validate_message(self, request: Any) -> Any:
        limits.check_project(request.parent)
        if request.encoding not in ENCODINGS:
            raise InvalidArgumentError("No encoding provided: it must be JSON or BINARY.")
        definition = (
            self._revision(request.name).definition if request.name else parse_definition(request.schema)
        )
        if not takes(definition, request.message, request.encoding):
            raise InvalidArgumentError("Invalid data in message: Message failed schema validation.")
        return wire.ValidateMessageResponse()

    def _revision(self, name: str) -> Revision:
        """Return the revision that SCHEMA@REVISION names, or the newest revision of SCHEMA."""
        name, at, revision_id = name.partition("@")
        schema = self._catalog.schema(name)
        return schema.revision(revision_id) if at else schema.newest


def _viewed(config: Any, view: int) -> Any:
    if view == FULL:
        return config
    basic = wire.Schema()
    basic.CopyFrom(config)
    basic.ClearField("definition")
    basic.ClearField("compiled_proto_schema")
    return basic


def _all_viewed(configs: Iterable[Any], view: int) -> list[Any]:
    """Return the messages of a list response; the default view is BASIC."""
    return [_viewed(config, view or BASIC) for config in configs]
