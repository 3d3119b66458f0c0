"""The resource types that Cloud Run rolls out in revisions: services and worker pools."""

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import ClassVar, Final, Self

from local_gcp.cloudrun.deployment import Deployment, Wanted
from local_gcp.cloudrun.environment import Surroundings
from local_gcp.cloudrun.outputs import run_outputs
from local_gcp.cloudrun.supervisor import Runner
from local_gcp.container.ingress import Front
from local_gcp.container.no_ingress import NoFront
from local_gcp.resource.errors import CloudError, NotReadyError
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record

# The templates of the revisions that can have traffic, by their names, oldest first. As in the real
# provider's outputs, a name with two leading underscores is internal, and Pulumi never displays it.
_REVISIONS: Final = "__revisions"
_KEPT_REVISIONS: Final = 20  # beside those with traffic; Google keeps 1,000


class RolledOutKind(Kind):
    """A type with revisions: use it with `async with`; leaving the context stops all revisions.

    A new template makes a new revision; any other change is made in place.

    Args:
        runner: Starts the containers.
    """

    collection: ClassVar[str]  # in the full name, as in `services`
    unsettled: ClassVar[tuple[str, ...]] = (
        "etag",
        "generation",
        "latestCreatedRevision",
        "latestReadyRevision",
        "observedGeneration",
        _REVISIONS,
    )

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
        """The full names of all running resources."""
        return tuple(self._deployments)

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of all revisions, by the revisions' names."""
        return {name: pid for each in self._deployments.values() for name, pid in each.pids.items()}

    def identify(self, inputs: Properties, place: Place) -> str:
        """Return the resource's full name."""
        there = place.of(inputs)
        return f"projects/{there.project}/locations/{there.region}/{self.collection}/{inputs['name']}"

    async def create(self, draft: Draft) -> Properties:
        """Start the first revision."""
        return await self._roll_out(draft, 1, {})

    async def update(self, record: Record, draft: Draft) -> Properties:
        """Start the next revision if the template has changed, and share out the traffic."""
        return await self._roll_out(draft, int(record.outputs["generation"]) + 1, record.outputs)

    async def delete(self, record: Record) -> None:
        """Stop its revisions; a front is kept, and holds new connections for the next resource."""
        if deployment := self._deployments.get(record.id):
            await deployment.stop()
            del self._deployments[record.id]

    async def restore(self, record: Record) -> None:
        """Restart the revisions that served, and retry those that do not become ready, as Cloud Run does."""
        outputs = record.outputs
        # Includes a revision that has never been ready.
        ready = _short(outputs["latestReadyRevision"] or outputs["latestCreatedRevision"])
        known = outputs.get(_REVISIONS) or {ready: record.inputs["template"]}
        deployment = await self._deployment(record.id, record.inputs["name"])
        await deployment.resume(
            self._wanted(record.inputs, ready, known),
            Place(outputs["project"], record.inputs["location"]),
        )

    async def _roll_out(self, draft: Draft, generation: int, old: Properties) -> Properties:
        known: dict[str, Properties] = dict(old.get(_REVISIONS, {}))
        created, ready = (
            _short(old.get(name, "")) for name in ("latestCreatedRevision", "latestReadyRevision")
        )
        template = draft.inputs["template"]
        is_new = not ready or created != ready or known.get(ready) != template
        latest = f"{draft.inputs['name']}-{generation:05}" if is_new else ready
        wanted = self._wanted(draft.inputs, latest, {**known, latest: template})
        try:
            deployment = await self._deployment(draft.id, draft.inputs["name"])
            await deployment.roll_out(wanted, draft.place.of(draft.inputs))
        except CloudError as error:
            outputs = self._outputs(draft, generation, latest, ready, known)
            raise NotReadyError(str(error), draft.id, draft.inputs, outputs) from error
        known[latest] = template
        kept = {*tuple(known)[-_KEPT_REVISIONS:], *(each.name for each in wanted)}
        known = {name: each for name, each in known.items() if name in kept}
        return self._outputs(draft, generation, latest, latest, known)

    def _wanted(self, inputs: Properties, latest: str, known: Mapping[str, Properties]) -> list[Wanted]:
        """Return the revisions with a share and the latest one, which has to become ready in any case.

        Raises:
            CloudError: A revision with traffic does not exist.
        """
        shares = self._shares(inputs, latest)
        for name in shares.keys() - known.keys():
            raise CloudError(
                f"googleapi: Error 400: the traffic names revision {name}, which is not there: "
                f"known are {', '.join(known)}"
            )
        return [
            Wanted(name=name, template=known[name], percent=percent)
            for name, percent in {latest: 0, **shares}.items()
        ]

    def _shares(self, _inputs: Properties, latest: str) -> dict[str, int]:
        """Return the percents of the revisions that have to run."""
        return {latest: 100}

    async def _deployment(self, identity: str, name: str) -> Deployment:
        if identity not in self._deployments:
            self._deployments[identity] = Deployment(
                self._surroundings(name), await self._next_front(), self._runner
            )
        return self._deployments[identity]

    @abstractmethod
    def _surroundings(self, name: str) -> Surroundings:
        """Return the surroundings of a resource's containers."""

    @abstractmethod
    async def _next_front(self) -> Front | NoFront:
        """Return the front for the next resource."""

    def _outputs(
        self, draft: Draft, generation: int, created: str, ready: str, known: Mapping[str, Properties]
    ) -> Properties:
        return run_outputs(
            draft,
            generation,
            latestCreatedRevision=_full(draft.id, created),
            latestReadyRevision=_full(draft.id, ready),
            **{_REVISIONS: known},
        )


def _full(identity: str, revision: str) -> str:
    return f"{identity}/revisions/{revision}" if revision else ""


def _short(name: str) -> str:
    return name.rpartition("/")[2]
