"""A new revision harms nobody: a bad one does not take over, and a good one gets traffic part by part."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from event_store.v1.event_store_pb2_grpc import EventStoreStub
from tests.event_store.requests import append, request
from tests.system.environments.environment import PATIENCE_SECONDS, WORDS, DeployedEnvironment
from tools import ROOT

CLIENTS = 4
# As in an image whose service ends at its start; its migrations run.
BROKEN = f"""\
#!/bin/sh
if [ "$1" = serve ]; then echo "no module named words" >&2; exit 1; fi
exec {Path(sys.executable).parent / "event-store"} "$@"
"""
# The service's code and migrations of another folder, which `-P` keeps the working directory from hiding.
ELSEWHERE = f"""\
#!/bin/sh
PYTHONPATH={{folder}}/service:{{folder}} exec {sys.executable} -P -c \
    'import sys; from event_store.cli.main import main; sys.exit(main())' "$@"
"""
# A channel with a pool of its own shares no connection with another.
OPTIONS = (("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1))


@asynccontextmanager
async def _appending(environment: DeployedEnvironment) -> AsyncIterator[list[int]]:
    """Append one event after the other on some connections, and never again; any error fails the test.

    Yields:
        The positions, as they come.
    """
    positions: list[int] = []
    is_over = asyncio.Event()

    async def append_all() -> None:
        async with grpc.aio.insecure_channel(environment.endpoints["service"], options=OPTIONS) as channel:
            stub: Any = EventStoreStub(channel)  # type: ignore[no-untyped-call] # generated
            while not is_over.is_set():
                # Not to the topic whose messages are looked at in the end.
                appended = request(append(aggregate_type="Progress"))
                response = await stub.AppendEvents(appended, timeout=PATIENCE_SECONDS)
                positions.append(response.results[0].last_global_position)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CLIENTS):
            tasks.create_task(append_all())
        yield positions
        is_over.set()


async def test_a_bad_image_leaves_the_old_revision_serving(
    environment: DeployedEnvironment, tmp_path: Path
) -> None:
    """The update fails with the service's own words, no append fails meanwhile, a good one repairs it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "event-store").write_text(BROKEN)
    (programs / "event-store").chmod(0o755)
    await environment.must_up()
    (serving,) = environment.services.pids
    good = environment.services._runner.programs

    async with _appending(environment) as positions:
        environment.services._runner.programs = programs
        environment.change({"event-store:service": {"log_level": "WARNING"}})  # another revision
        failed = await environment.up()
        before = len(positions)
        read = await environment.read()
        still = [*environment.services.pids]
        environment.services._runner.programs = good
        await environment.must_up()
        (repaired,) = environment.services.pids

    assert failed.code != 0
    assert "no module named words" in failed.output
    assert 0 < before <= len(read)
    assert len(positions) > len(read)
    assert still == [serving]
    assert repaired != serving
    assert sorted(positions) == [*range(1, len(positions) + 1)]
    await environment.must_carry_events()
    await environment.must_stay("preview")


def _release_before(folder: Path) -> Path:
    """Make the programs of a release that does not know the newest migration, and return their folder."""
    for part in ("service", "migrations"):
        shutil.copytree(ROOT / part, folder / part, symlinks=True)  # the service links its migrations
    for kind in ("versions/*.py", "sql/*.sql"):
        max((folder / "migrations").glob(kind)).unlink()
    programs = folder / "programs"
    programs.mkdir()
    (programs / "event-store").write_text(ELSEWHERE.format(folder=folder))
    (programs / "event-store").chmod(0o755)
    return programs


@pytest.mark.parametrize("environment", ["dev"], indirect=True)
async def test_the_release_before_deploys_over_the_schema_after_it(
    environment: DeployedEnvironment, tmp_path: Path
) -> None:
    """In a rollback its own migration and service run, no append fails, and the newer one may come back."""
    await environment.must_up()
    await environment.must_carry_events()
    good = environment.services._runner.programs

    async with _appending(environment) as positions:
        environment.services._runner.programs = _release_before(tmp_path / "before")
        environment.change(
            {"event-store:migration_attempt": 2, "event-store:service": {"log_level": "WARNING"}}
        )
        await environment.must_up()
        logs = {path.name: path.read_text() for path in environment.logs.glob("*.log")}
        await environment.must_carry_events()
        environment.services._runner.programs = good
        environment.change({"event-store:migration_attempt": 3, "event-store:service": {"log_level": "INFO"}})
        await environment.must_up()
    log = await environment.read()

    assert "of a later release and supports this one, nothing to do" in logs["job-event-store-migrate.log"]
    assert "of a later release, which supports this release" in logs["service-event-store.log"]
    carried = {each.global_position for each in log} - {*positions}
    assert [each.global_position for each in log] == [*range(1, len(positions) + len(carried) + 1)]
    assert len(carried) == 2 * len(WORDS)
    await environment.must_carry_events()


@pytest.mark.parametrize("environment", ["dev"], indirect=True)
async def test_a_canary_is_rolled_back_and_then_promoted(environment: DeployedEnvironment) -> None:
    """By our commands and the engine both revisions serve, then the old one alone, then the new one alone.

    No append fails on the way, and none of the positions is left out or given twice.
    """
    await environment.must_up()
    (stable,) = environment.services.pids

    async with _appending(environment) as positions:
        await environment.rollout("canary", "--percent", "50")
        environment.change({"event-store:service": {"log_level": "WARNING"}})
        await environment.must_up()
        both = [*environment.services.pids]
        await environment.must_stay("preview")
        await environment.must_stay("refresh")
        await environment.rollout("rollback")
        await environment.must_up()
        rolled_back = [*environment.services.pids]
        await environment.rollout("canary", "--percent", "10")
        await environment.must_up()
        await environment.rollout("promote")
        await environment.must_up()
        (promoted,) = environment.services.pids

    assert both == [stable, promoted]
    assert rolled_back == [stable]
    assert promoted != stable
    assert sorted(positions) == [*range(1, len(positions) + 1)]
    await environment.must_carry_events()
    await environment.must_stay("preview")
