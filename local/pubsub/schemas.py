"""The service google.pubsub.v1.SchemaService, but for single revisions."""

from typing import Any

from local.pubsub import wire
from local.pubsub.catalog import Catalog
from local.pubsub.errors import InvalidArgumentError
from local.pubsub.page import page
from local.pubsub.rpc import Methods
from local.pubsub.schema import BINARY, definition_of


class Schemas:
    """Answers for a catalog.

    Args:
        catalog: What exists.
    """

    service = "google.pubsub.v1.SchemaService"

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def methods(self) -> Methods:
        """Its methods by their names."""
        return {
            "CreateSchema": (wire.CreateSchemaRequest, self._create),
            "GetSchema": (wire.GetSchemaRequest, self._get),
            "ListSchemas": (wire.ListSchemasRequest, self._list),
            "CommitSchema": (wire.CommitSchemaRequest, self._commit),
            "DeleteSchema": (wire.DeleteSchemaRequest, self._delete),
            "ValidateSchema": (wire.ValidateSchemaRequest, self._validate),
            "ValidateMessage": (wire.ValidateMessageRequest, self._validate_message),
        }

    def _create(self, request: Any) -> Any:
        request.schema.name = f"{request.parent}/schemas/{request.schema_id}"
        return self._catalog.create_schema(request.schema).config

    def _get(self, request: Any) -> Any:
        return self._catalog.schema(request.name).config

    def _list(self, request: Any) -> Any:
        prefix = f"{request.parent}/"
        names, token = page((name for name in self._catalog.schemas if name.startswith(prefix)), request)
        found = [self._catalog.schemas[name].config for name in names]
        return wire.ListSchemasResponse(schemas=found, next_page_token=token)

    def _commit(self, request: Any) -> Any:
        return self._catalog.schema(request.name).commit(request.schema)

    def _delete(self, request: Any) -> Any:
        self._catalog.delete_schema(request.name)
        return wire.Empty()

    def _validate(self, request: Any) -> Any:
        definition_of(request.schema)
        return wire.ValidateSchemaResponse()

    def _validate_message(self, request: Any) -> Any:
        if request.name:
            taken = self._catalog.schema(request.name).takes(request.message, request.encoding)
        else:
            avro = definition_of(request.schema)
            binary = request.encoding == BINARY
            taken = avro.takes_binary(request.message) if binary else avro.takes_json(request.message)
        if not taken:
            raise InvalidArgumentError("Invalid data in message: Message failed schema validation.")
        return wire.ValidateMessageResponse()
