"""The interface of a resource type: create, update, read, delete and restore."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from local_gcp.resource import Limits
from local_gcp.resource.place import Place
from local_gcp.resource.properties import UNKNOWN, Properties
from local_gcp.resource.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A resource as the program wants it.

    Attributes:
        id: Google's id of the resource.
        inputs: The inputs: all known, checked, and with Google's defaults.
        place: The project and region of the provider.
    """

    id: str
    inputs: Properties
    place: Place


class Kind(ABC):
    """A resource type.

    `create` and `update` return all outputs. They succeed or change nothing: an error or a cancellation
    leaves everything as it was, except that NotReadyError carries the new state.
    """

    limits: Limits
    # Whether the resource exists once however many stacks declare it, such as an API of a project.
    is_shared: ClassVar[bool] = False
    # Outputs that an update may change, so that a preview cannot know them.
    unsettled: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def identify(self, inputs: Properties, place: Place) -> str:
        """Return Google's id of the resource."""

    @abstractmethod
    async def create(self, draft: Draft) -> Properties:
        """Create the resource and return its outputs."""

    @abstractmethod
    async def update(self, record: Record, draft: Draft) -> Properties:
        """Change the resource in place and return its outputs."""

    @abstractmethod
    async def delete(self, record: Record) -> None:
        """Delete the resource. Deleting a missing resource succeeds."""

    async def exists(self, _record: Record) -> bool:
        """Tell whether the resource still exists."""
        return True

    async def restore(self, record: Record) -> None:  # noqa: B027 # most have nothing to bring back
        """Restore the resource as recorded, after the cloud itself was stopped."""

    def drifted(self, _outputs: Properties, _inputs: Properties) -> tuple[str, ...]:
        """Return the outputs that no longer match the state that the inputs refer to, such as files."""
        return ()

    def planned(self, inputs: Properties, old: Properties | None = None) -> Properties:
        """Return the outputs as far as a preview can know them."""
        return {**(old or {}), **inputs, **dict.fromkeys(self.unsettled if old else (), UNKNOWN)}
