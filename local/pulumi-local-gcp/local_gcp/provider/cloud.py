"""The local Google Cloud: its resource types and what stands in it.

Invariants: a resource is recorded after it was made and before the caller is told so, and forgotten after it
was deleted; whatever is recorded is brought back when the cloud starts again, in the order of its making.
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
    """Resources of some kinds, made, changed and deleted as Google would.

    Args:
        kinds: What it has.
        records: What stands in it.
        rights: Judges who may do what.
        tokens: Tells who calls.

    Attributes:
        knows_others: Whether it tells a program of what does not stand in it, as if others had made that.
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
            CloudError: It has no such type; the message says where to add it.
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
        """Read what Google checks of every type, which is read once and takes a second."""
        for resource_type in self._kinds:
            schema_of(resource_type)

    async def create(self, resource_type: str, urn: str, inputs: Properties) -> Record:
        """Make a resource.

        Raises:
            CloudError: One of that name is there, or the inputs refer to something that is not.
            NotReadyError: It is there and recorded, but does not work yet.
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
            CloudError: The inputs refer to something that is not there. The resource is as it was.
            NotReadyError: It was changed, but does not work yet.
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
        """Return a resource as it stands, or None if it does not."""
        record = self.records.find(resource_type, identity)
        if record is None:
            return None
        self.records.confirm(record)
        if await self.kind(resource_type).exists(record):
            return record
        self.records.remove(record)
        return None

    async def delete(self, record: Record, urn: str = "") -> None:
        """Delete a resource, or let it go where others have declared it too.

        Args:
            record: The resource.
            urn: Who deletes it, in Pulumi's words; by default who made it.

        Raises:
            CloudError: It is protected, or something else needs it.
        """
        # A resource of one stack may have another URN by now: it was given another name in the program.
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
        """Refuse to delete what another resource uses of Compute Engine, such as Cloud Run a subnetwork."""
        if not record.type.startswith("gcp:compute/"):
            return
        for other in self.records:
            if other.id != record.id and any(value == record.id for _, value in leaves(other.inputs)):
                raise CloudError(
                    f"googleapi: Error 400: The resource '{record.id}' is already being used by "
                    f"'{other.id}', resourceInUseByAnotherResource"
                )

    async def restore(self) -> None:
        """Bring back everything that is recorded."""
        for record in self.records:
            await self.kind(record.type).restore(record)

    @staticmethod
    def _shared(kind: Kind, found: Record, urn: str, inputs: Properties) -> Record | None:
        """Return what is there, as another stack makes it too; None if that may not be."""
        if urn in {found.urn, *found.others}:
            return None
        if kind.is_shared:
            return replace(found, others=(*found.others, urn))
        if _stack(urn) == _stack(found.urn):
            return None
        # There once, whoever made it, and gone when anybody takes it away.
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
    """Return what a URN begins with: the stack and the project."""
    return "::".join(urn.split("::")[:2])
