"""What Cloud Run rolls out in revisions: services and worker pools."""

from abc import abstractmethod
from contextlib import AsyncExitStack
from typing import ClassVar, Self

from local.deployment import Deployment
from local.errors import CloudError, NotReadyError
from local.front import Front
from local.no_front import NoFront
from local.place import Place
from local.properties import Properties
from local.records import Record
from local.resources.kind import Draft, Kind
from local.resources.run_outputs import run_outputs
from local.runner import Runner
from local.surroundings import Surroundings


class RolledOutKind(Kind):
    """A type whose newest ready revision runs: `async with` it; at the end all revisions end.

    Args:
        runner: Starts the containers.
    """

    collection: ClassVar[str]  # in the full name, as in `services`
    unsettled = ("etag", "generation", "latestCreatedRevision", "latestReadyRevision", "observedGeneration")

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._stack = AsyncExitStack()
        self._deployments: dict[str, Deployment] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for deployment in self._deployments.values():
            await deployment.stop()
        await self._stack.aclose()

    @property
    def names(self) -> tuple[str, ...]:
        """The full names of all that run."""
        return tuple(self._deployments)

    def identify(self, inputs: Properties, place: Place) -> str:
        """Return its full name."""
        there = place.of(inputs)
        return f"projects/{there.project}/locations/{there.region}/{self.collection}/{inputs['name']}"

    async def create(self, draft: Draft) -> Properties:
        """Start its first revision."""
        return await self._roll_out(draft, 1, "")

    async def update(self, record: Record, draft: Draft) -> Properties:
        """Start its next revision in place of the last one that was ready."""
        return await self._roll_out(
            draft, int(record.outputs["generation"]) + 1, record.outputs["latestReadyRevision"]
        )

    async def delete(self, record: Record) -> None:
        """End its revision; its front, if it has one, then lets connections wait for the next one."""
        if deployment := self._deployments.get(record.id):
            await deployment.stop()
            del self._deployments[record.id]

    async def restore(self, record: Record) -> None:
        """Start it again; one that does not become ready any more is tried until it does, as in the cloud."""
        deployment = await self._deployment(record.id, record.inputs["name"])
        await deployment.resume(
            record.outputs["latestCreatedRevision"],
            record.inputs["template"],
            Place(record.outputs["project"], record.inputs["location"]),
        )

    async def _roll_out(self, draft: Draft, generation: int, ready: str) -> Properties:
        revision = f"{draft.inputs['name']}-{generation:05}"
        try:
            deployment = await self._deployment(draft.id, draft.inputs["name"])
            await deployment.roll_out(revision, draft.inputs["template"], draft.place.of(draft.inputs))
        except CloudError as error:
            outputs = self._outputs(draft, generation, revision, ready)
            raise NotReadyError(str(error), draft.id, draft.inputs, outputs) from error
        return self._outputs(draft, generation, revision, revision)

    async def _deployment(self, identity: str, name: str) -> Deployment:
        if identity not in self._deployments:
            self._deployments[identity] = Deployment(
                self._surroundings(name), await self._next_front(), self._runner
            )
        return self._deployments[identity]

    @abstractmethod
    def _surroundings(self, name: str) -> Surroundings:
        """Return what the containers of one are given."""

    @abstractmethod
    async def _next_front(self) -> Front | NoFront:
        """Return the front of the next one that is made."""

    def _outputs(self, draft: Draft, generation: int, created: str, ready: str) -> Properties:
        return run_outputs(draft, generation, latestCreatedRevision=created, latestReadyRevision=ready)
