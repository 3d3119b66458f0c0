"""A resource type: what the local Google Cloud does when one is made, changed, looked at and deleted."""

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
        id: Google's id of it.
        inputs: All known, checked, with Google's defaults.
        place: The project and region of the provider.
    """

    id: str
    inputs: Properties
    place: Place


class Kind(ABC):
    """One resource type.

    `create` and `update` return all outputs. They are whole or not at all: an error, or a cancellation,
    leaves things as they were, except that NotReadyError says what stands now.
    """

    limits: Limits
    # Whether it is there once however many stacks declare it, as an API of a project is.
    is_shared: ClassVar[bool] = False
    # Outputs that an update may make anew, so that a preview cannot know them.
    unsettled: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def identify(self, inputs: Properties, place: Place) -> str:
        """Return Google's id of the resource."""

    @abstractmethod
    async def create(self, draft: Draft) -> Properties:
        """Make it."""

    @abstractmethod
    async def update(self, record: Record, draft: Draft) -> Properties:
        """Change it in place."""

    @abstractmethod
    async def delete(self, record: Record) -> None:
        """Delete it. What is gone already is deleted."""

    async def exists(self, _record: Record) -> bool:
        """Tell whether it is still there."""
        return True

    async def restore(self, record: Record) -> None:  # noqa: B027 # most have nothing to bring back
        """Bring it back as recorded, after the cloud itself was stopped."""

    def drifted(self, _outputs: Properties, _inputs: Properties) -> tuple[str, ...]:
        """Return outputs that no longer follow from what the inputs refer to, such as files."""
        return ()

    def planned(self, inputs: Properties, old: Properties | None = None) -> Properties:
        """Return the outputs as far as a preview can know them."""
        return {**(old or {}), **inputs, **dict.fromkeys(self.unsettled if old else (), UNKNOWN)}
