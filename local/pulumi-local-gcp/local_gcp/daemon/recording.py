"""What a local Google Cloud that only records has in the place of databases, Pub/Sub and containers.

The resource types are the same, with all that Google checks and refuses and with the same outputs, so that a
later plan is the one that it would be on the running local Google Cloud. Only what they act on is left out.
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
    """Instances that are there, whoever made them: what does not stand here, others have made."""

    async def __aexit__(self, *_: object) -> None:
        """There is nothing to end."""

    async def start(self, instance: str, flags: Mapping[str, str]) -> None:
        """Start nothing."""

    async def copy(self, source: str, instance: str, *, follows: bool = False) -> None:
        """Copy nothing."""

    async def stop(self, instance: str) -> None:
        """There is nothing to stop."""

    async def variables(self, _instance: str) -> dict[str, str]:
        """Return none, for nothing connects to it."""
        return {}

    def conninfo(self, _instance: str, _user: str | None, _database: str) -> str:
        """Return an empty one."""
        return ""

    async def has_role(self, _instance: str, _name: str) -> bool:
        """Say that it has: a job may have made it, and which ones a job would make is not known here."""
        return True

    def _execute(
        self,
        _instance: str,
        _statements: tuple[sql.SQL | sql.Composed, ...],
        _database: str,
    ) -> list[tuple[Any, ...]]:
        return []


class RecordedBus(Broker):
    """A Pub/Sub that agrees to everything; like Google's emulator it has no grants."""

    def __init__(self) -> None:
        super().__init__(_NOWHERE, 0)
        self.longest_retention_seconds = 31 * 86_400
        self.publisher = self.subscriber = self.schemas = _Agreeing()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """There is nothing to end."""


class _Agreeing:
    """In place of each client of Pub/Sub: every call succeeds and does nothing."""

    def __getattr__(self, call: str) -> Callable[..., Awaitable[None]]:
        async def agree(*_: object, **__: object) -> None:
            if call == "get_iam_policy":
                raise exceptions.MethodNotImplemented("grants are only recorded")  # type: ignore[no-untyped-call]

        return agree


class _NothingRuns(Deployment):
    """A deployment each of whose revisions is ready at once."""

    async def roll_out(self, wanted: Sequence[Wanted], place: Place) -> None:
        """Start nothing."""

    async def resume(self, wanted: Sequence[Wanted], place: Place) -> None:
        """Start nothing."""


class _RolledOutNowhere(RolledOutKind):
    """A type with revisions of which none runs."""

    async def __aenter__(self) -> Self:
        return self

    async def _deployment(self, _identity: str, name: str) -> Deployment:
        return _NothingRuns(self._surroundings(name), NoFront(), self._runner)


class RecordedServiceKind(_RolledOutNowhere, ServiceKind):
    """Cloud Run services of which no revision runs."""


class RecordedWorkerPoolKind(_RolledOutNowhere, WorkerPoolKind):
    """Cloud Run worker pools of which no revision runs."""


class RecordedJobKind(JobKind):
    """Cloud Run jobs whose executions succeed without running."""

    async def _attempt(self, _draft: Draft, _execution: str) -> str | None:
        return None
