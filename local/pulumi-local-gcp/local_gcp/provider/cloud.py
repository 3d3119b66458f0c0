"""The local Google Cloud: its resource types and its recorded resources.

Invariants: a resource is recorded after it was created and before the caller is told so, and its record is
removed after the resource was deleted. When the cloud starts again, it restores all recorded resources in the
order of their creation.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from local_gcp.resource.errors import CloudError, NotReadyError
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.properties import Properties, leaves
from local_gcp.resource.records import Record, Records
from local_gcp.resource.sdk_schema import schema_of
from local_gcp.rights.callers import Tokens
from local_gcp.rights.resources import GRANTED_ON
from local_gcp.rights.rights import Rights


class Cloud:
    """Creates, updates and deletes resources of some types, as Google would.

    Args:
        kinds: Its resource types.
        records: Its resources.
        rights: Judges which caller may do what.
        tokens: Identifies callers.

    Attributes:
        knows_others: Whether a data source also returns unrecorded resources, as if others had made them.
    """

    def __init__(self, kinds: Iterable[Kind], records: Records, rights: Rights, tokens: Tokens) -> None:
        self._kinds: Final = {kind.limits.type: kind for kind in kinds}
        self.records = records
        self.rights = rights
        self.tokens = tokens
        self.knows_others = False

    def kind(self, resource_type: str) -> Kind:
        """Return a resource type.

        Raises:
            CloudError: The type is not supported; the message says where to add it.
        """
        if resource_type in self._kinds:
            return self._kinds[resource_type]
        module = resource_type.split(":", 2)[1].partition("/")[0]
        raise CloudError(
            f"the local Google Cloud has no resource type {resource_type}: add what Google checks of it, "
            f"and what it does, to the folder of its product in local_gcp/, beside its family ({module}): "
            "a line in local_gcp/recorded/recorded.py if it has nothing to do on a laptop"
        )

    def read_schemas(self) -> None:
        """Read the SDK's schemas of all types, which takes a second and is done once."""
        for resource_type in self._kinds:
            schema_of(resource_type)

    async def create(self, resource_type: str, urn: str, inputs: Properties) -> Record:
        """Create a resource.

        Raises:
            CloudError: The name is taken, or the inputs refer to a missing resource.
            NotReadyError: The resource was created and recorded, but does not work yet.
        """
        kind, draft = self._draft(resource_type, inputs)
        found = self.records.find(resource_type, draft.id)
        if found is not None and (shared := self._shared(kind, found, urn, inputs)) is not None:
            self.records.put(shared)
            return shared
        if found is not None and (found.confirmed or found.urn != urn):
            raise CloudError(f"googleapi: Error 409: {draft.id} already exists, alreadyExists")
        making = kind.create(draft) if found is None else kind.update(found, draft)
        try:
            outputs = await making
        except NotReadyError as error:
            self._record(resource_type, urn, draft, error.outputs)
            raise
        return self._record(resource_type, urn, draft, outputs)

    async def update(self, record: Record, inputs: Properties) -> Record:
        """Change a resource in place.

        Raises:
            CloudError: The inputs refer to a missing resource; the resource is unchanged.
            NotReadyError: The resource was changed, but does not work yet.
        """
        kind, draft = self._draft(record.type, inputs)
        draft = Draft(id=record.id, inputs=draft.inputs, place=draft.place)
        try:
            outputs = await kind.update(record, draft)
        except NotReadyError as error:
            self._record(record.type, record.urn, draft, error.outputs)
            raise
        return self._record(record.type, record.urn, draft, outputs)

    async def read(self, resource_type: str, identity: str) -> Record | None:
        """Return a resource's record, or None if the resource does not exist."""
        record = self.records.find(resource_type, identity)
        if record is None:
            return None
        self.records.confirm(record)
        if await self.kind(resource_type).exists(record):
            return record
        self.records.remove(record)
        return None

    async def delete(self, record: Record, urn: str = "") -> None:
        """Delete a resource, or drop one declaration of it if others have declared it too.

        Args:
            record: The resource.
            urn: The URN of the declaration that is deleted; by default that of the resource's creator.

        Raises:
            CloudError: The resource is protected, or another resource uses it.
        """
        # A resource of one stack may have another URN by now: the program may have renamed it.
        if record.others:
            left = [each for each in (record.urn, *record.others) if each != (urn or record.urn)]
            self.records.put(replace(record, urn=left[0], others=tuple(left[1:])))
            return
        policy = record.inputs.get("deletionPolicy")
        if record.inputs.get("deletionProtection") is True or policy == "PREVENT":
            raise CloudError(
                f"{record.id} is protected from deletion: set deletion_protection to false "
                "(deletion_policy to DELETE), run an update, then delete it"
            )
        self._refuse_used(record)
        if policy != "ABANDON":
            await self.kind(record.type).delete(record)
        self.records.remove(record)

    def _refuse_used(self, record: Record) -> None:
        """Reject the deletion of a Compute Engine resource in use, such as Cloud Run's subnetwork."""
        if not record.type.startswith("gcp:compute/"):
            return
        for other in self.records:
            if other.id != record.id and any(value == record.id for _, value in leaves(other.inputs)):
                raise CloudError(
                    f"googleapi: Error 400: The resource '{record.id}' is already being used by "
                    f"'{other.id}', resourceInUseByAnotherResource"
                )

    async def restore(self) -> None:
        """Restore everything that is recorded."""
        for record in self.records:
            await self.kind(record.type).restore(record)

    @staticmethod
    def _shared(kind: Kind, found: Record, urn: str, inputs: Properties) -> Record | None:
        """Return the record as shared with or taken over by another stack; None if that is not allowed."""
        if urn in {found.urn, *found.others}:
            return None
        if kind.is_shared:
            return replace(found, others=(*found.others, urn))
        if _stack(urn) == _stack(found.urn):
            return None
        # Such a resource exists once, whichever stack created it, and goes when any stack deletes it.
        is_taken_over = found.type in GRANTED_ON or inputs.get("createIgnoreAlreadyExists") is True
        return replace(found, urn=urn, confirmed=True) if is_taken_over else None

    def _draft(self, resource_type: str, inputs: Properties) -> tuple[Kind, Draft]:
        kind = self.kind(resource_type)
        return kind, Draft(
            id=kind.identify(inputs, self.records.place), inputs=inputs, place=self.records.place
        )

    def _record(self, resource_type: str, urn: str, draft: Draft, outputs: Properties) -> Record:
        known = self.records.find(resource_type, draft.id)
        record = Record(
            type=resource_type,
            id=draft.id,
            urn=urn,
            inputs=draft.inputs,
            outputs=outputs,
            others=known.others if known is not None else (),
            confirmed=known is not None and known.confirmed,
        )
        self.records.put(record)
        return record


def _stack(urn: str) -> str:
    """Return the stack's part of a URN: stack and project."""
    return "::".join(urn.split("::")[:2])
