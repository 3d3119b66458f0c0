"""Cloud Run services."""

from contextlib import AsyncExitStack
from typing import Final, Self

from local.deployment import Deployment
from local.errors import CloudError, NotReadyError
from local.front import Front
from local.limits import run
from local.place import Place, digits
from local.properties import Properties
from local.records import Record
from local.resources.kind import Draft, Kind
from local.runner import Runner

_TIME: Final = "2025-08-09T00:00:00.000000Z"


class ServiceKind(Kind):
    """A service whose newest ready revision runs: `async with ServiceKind(runner, port) as services`.

    Args:
        runner: Starts the containers.
        port: The port of the first service's front; others get free ones.
    """

    limits = run.SERVICE
    unsettled = ("etag", "generation", "latestCreatedRevision", "latestReadyRevision", "observedGeneration")

    def __init__(self, runner: Runner, port: int) -> None:
        self._runner = runner
        self._front = Front(port)
        self._stack = AsyncExitStack()
        self._deployments: dict[str, Deployment] = {}

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._front)  # now, so that a taken port is found at once
        return self

    async def __aexit__(self, *_: object) -> None:
        for deployment in self._deployments.values():
            await deployment.stop()
        await self._stack.aclose()

    @property
    def addresses(self) -> dict[str, str]:
        """Where services listen, by their full names."""
        return {identity: deployment.address for identity, deployment in self._deployments.items()}

    def identify(self, inputs: Properties, place: Place) -> str:
        """Return its full name."""
        there = place.of(inputs)
        return f"projects/{there.project}/locations/{there.region}/services/{inputs['name']}"

    async def create(self, draft: Draft) -> Properties:
        """Start its first revision."""
        return await self._roll_out(draft, 1, "")

    async def update(self, record: Record, draft: Draft) -> Properties:
        """Start its next revision in place of the last one that was ready."""
        return await self._roll_out(
            draft, int(record.outputs["generation"]) + 1, record.outputs["latestReadyRevision"]
        )

    async def delete(self, record: Record) -> None:
        """End its revision; its front then lets connections wait for the next service."""
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
        try:
            revision = await self._start(draft, generation)
        except CloudError as error:
            outputs = _outputs(draft, generation, _revision(draft, generation), ready)
            raise NotReadyError(str(error), draft.id, draft.inputs, outputs) from error
        return _outputs(draft, generation, revision, revision)

    async def _start(self, draft: Draft, generation: int) -> str:
        revision = _revision(draft, generation)
        deployment = await self._deployment(draft.id, draft.inputs["name"])
        await deployment.roll_out(revision, draft.inputs["template"], draft.place.of(draft.inputs))
        return revision

    async def _deployment(self, identity: str, service: str) -> Deployment:
        if identity not in self._deployments:
            is_first = not self._deployments
            front = self._front if is_first else await self._stack.enter_async_context(Front())
            self._deployments[identity] = Deployment(service, front, self._runner)
        return self._deployments[identity]


def _revision(draft: Draft, generation: int) -> str:
    return f"{draft.inputs['name']}-{generation:05}"


def _outputs(draft: Draft, generation: int, created: str, ready: str) -> Properties:
    there = draft.place.of(draft.inputs)
    labels = draft.inputs.get("labels", {})
    uri = f"https://{draft.inputs['name']}-{there.number}.{there.region}.run.app"
    return {
        "project": there.project,
        "uid": digits(draft.id, 12),
        "uri": uri,
        "urls": [uri],
        "generation": str(generation),
        "observedGeneration": str(generation),
        "latestCreatedRevision": created,
        "latestReadyRevision": ready,
        "etag": f'"{digits(f"{draft.id}{generation}", 12)}"',
        "createTime": _TIME,
        "updateTime": _TIME,
        "launchStage": "GA",
        "ingress": "INGRESS_TRAFFIC_ALL",
        "effectiveLabels": labels,
        "pulumiLabels": labels,
        "reconciling": False,
        **draft.inputs,
    }
