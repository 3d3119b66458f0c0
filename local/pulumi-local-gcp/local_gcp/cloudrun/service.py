"""Cloud Run services."""

from collections.abc import Mapping
from typing import Self

from local_gcp.cloudrun import run_rules
from local_gcp.cloudrun.environment import Surroundings, of_service
from local_gcp.cloudrun.rollout import RolledOutKind
from local_gcp.cloudrun.supervisor import Runner
from local_gcp.container.ingress import Front
from local_gcp.resource.kind import Draft
from local_gcp.resource.properties import Properties


class ServiceKind(RolledOutKind):
    """A service whose revisions share its traffic: `async with ServiceKind(runner, port) as services`.

    Args:
        runner: Starts the containers.
        port: The port of the first service's front; other services get free ports.
    """

    limits = run_rules.SERVICE
    collection = "services"
    unsettled = (*RolledOutKind.unsettled, "trafficStatuses")

    def __init__(self, runner: Runner, port: int) -> None:
        super().__init__(runner)
        self._front = Front(port)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._front)  # now, so that a taken port is reported at once
        return self

    @property
    def addresses(self) -> dict[str, str]:
        """The addresses of all services, by their full names."""
        return {identity: deployment.address for identity, deployment in self._deployments.items()}

    def _surroundings(self, name: str) -> Surroundings:
        return of_service(name)

    async def _next_front(self) -> Front:
        is_first = not self._deployments
        return self._front if is_first else await self._stack.enter_async_context(Front())

    def _shares(self, inputs: Properties, latest: str) -> dict[str, int]:
        shares: dict[str, int] = {}
        for each in inputs.get("traffics") or [{"percent": 100}]:
            name = each.get("revision") or latest
            shares[name] = shares.get(name, 0) + each.get("percent", 0)
        return shares

    def _outputs(
        self, draft: Draft, generation: int, created: str, ready: str, known: Mapping[str, Properties]
    ) -> Properties:
        there = draft.place.of(draft.inputs)
        host = f"{draft.inputs['name']}-{there.number}.{there.region}.run.app"
        statuses = [
            {**each, "uri": f"https://{each['tag']}---{host}" if each.get("tag") else ""}
            for each in draft.inputs.get("traffics", [])
        ]
        return {
            "uri": f"https://{host}",
            "urls": [f"https://{host}"],
            "ingress": "INGRESS_TRAFFIC_ALL",
            "trafficStatuses": statuses,
            **super()._outputs(draft, generation, created, ready, known),
        }
