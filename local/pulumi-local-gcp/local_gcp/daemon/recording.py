"""The parts of a recording-only local Google Cloud that replace databases, Pub/Sub and containers.

The resource types, Google's checks and the outputs are the same, so a later plan equals that on the running
local Google Cloud. Only the side effects are left out.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Self

from google.api_core import exceptions
from psycopg import sql

from local_gcp.cloudrun.deployment import Deployment, Wanted
from local_gcp.cloudrun.job import JobKind
from local_gcp.cloudrun.rollout import RolledOutKind
from local_gcp.cloudrun.service import ServiceKind
from local_gcp.cloudrun.worker_pool import WorkerPoolKind
from local_gcp.container.no_ingress import NoFront
from local_gcp.postgres.server.instances import Instances
from local_gcp.pubsub_api.broker import Broker
from local_gcp.resource.kind import Draft
from local_gcp.resource.place import Place

_NOWHERE: Final = "nowhere"


class RecordedInstances(Instances):
    """Instances that all exist: an instance that is not recorded counts as made by others."""

    async def __aexit__(self, *_: object) -> None:
        """Do nothing: no instance runs."""

    async def start(self, instance: str, flags: Mapping[str, str]) -> None:
        """Do nothing."""

    async def copy(self, source: str, instance: str, *, follows: bool = False) -> None:
        """Do nothing."""

    async def stop(self, instance: str) -> None:
        """Do nothing."""

    async def variables(self, _instance: str) -> dict[str, str]:
        """Return no variables, since nothing connects to an instance."""
        return {}

    def conninfo(self, _instance: str, _user: str | None, _database: str) -> str:
        """Return an empty connection string."""
        return ""

    async def has_role(self, _instance: str, _name: str) -> bool:
        """Return True: a job may have created the role, and no job runs here."""
        return True

    def _execute(
        self,
        _instance: str,
        _statements: tuple[sql.SQL | sql.Composed, ...],
        _database: str,
    ) -> list[tuple[Any, ...]]:
        return []


class RecordedBus(Broker):
    """A Pub/Sub on which every call succeeds. Like Google's emulator it has no grants."""

    def __init__(self) -> None:
        super().__init__(_NOWHERE, 0)
        self.longest_retention_seconds = 31 * 86_400
        self.publisher = self.subscriber = self.schemas = _Agreeing()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing."""


class _Agreeing:
    """A stand-in for each Pub/Sub client: every call succeeds and does nothing."""

    def __getattr__(self, call: str) -> Callable[..., Awaitable[None]]:
        async def agree(*_: object, **__: object) -> None:
            if call == "get_iam_policy":
                raise exceptions.MethodNotImplemented("grants are only recorded")  # type: ignore[no-untyped-call]

        return agree


class _NothingRuns(Deployment):
    """A deployment whose revisions are ready at once, without running."""

    async def roll_out(self, wanted: Sequence[Wanted], place: Place) -> None:
        """Do nothing."""

    async def resume(self, wanted: Sequence[Wanted], place: Place) -> None:
        """Do nothing."""


class _RolledOutNowhere(RolledOutKind):
    """A type whose revisions do not run."""

    async def __aenter__(self) -> Self:
        return self

    async def _deployment(self, _identity: str, name: str) -> Deployment:
        return _NothingRuns(self._surroundings(name), NoFront(), self._runner)


class RecordedServiceKind(_RolledOutNowhere, ServiceKind):
    """Cloud Run services whose revisions do not run."""


class RecordedWorkerPoolKind(_RolledOutNowhere, WorkerPoolKind):
    """Cloud Run worker pools whose revisions do not run."""


class RecordedJobKind(JobKind):
    """Cloud Run jobs whose executions succeed without running."""

    async def _attempt(self, _draft: Draft, _execution: str) -> str | None:
        return None
