"""Several revisions of a service share its traffic, as Cloud Run has it."""

import asyncio
from collections import Counter

import grpc
import grpc.aio
import pytest

from local_gcp.cloudrun import run_rules as run
from local_gcp.cloudrun.service import ServiceKind
from tests.local_gcp.conftest import PROGRAMS, LocalCloud, Stack

SERVICE = f"""
from pulumi_gcp import cloudrunv2
latest, revision = (f"TRAFFIC_TARGET_ALLOCATION_TYPE_{{{{name}}}}" for name in ("LATEST", "REVISION"))
service = cloudrunv2.Service("greeter", name="greeter", location="europe-west1", deletion_protection=False,
    traffics={{traffics}},
    template={{{{"containers": [{{{{"image": "i", "commands": ["python"], "args": ["{PROGRAMS}/greeter.py"],
        "envs": [{{{{"name": "VERSION", "value": "{{version}}"}}}}],
        "startup_probe": {{{{"grpc": {{{{"port": 8080}}}}}}}}}}}}]}}}})
pulumi.export("revision", service.latest_ready_revision)
"""
ALL = '[{"type": latest, "percent": 100}]'


def _split(percent: int, stable: str = "greeter-00001") -> str:
    canary = f'{{"type": latest, "percent": {percent}, "tag": "canary"}},' if percent else ""
    return f'[{canary} {{"type": revision, "revision": "{stable}", "percent": {100 - percent}}}]'


async def _ask(address: str, connections: int) -> Counter[bytes]:
    """Ask once on each of so many connections, one after the other; count the answers."""
    answers: Counter[bytes] = Counter()
    for _ in range(connections):
        # A channel with options of its own shares no connection with another.
        options = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            answers[await channel.unary_unary("/Greeter/Greet")(b"", timeout=20)] += 1
    return answers


def _address(stack: Stack) -> str:
    return next(iter(stack.services.addresses.values()))


async def test_a_canary_gets_its_part_and_then_all_or_none(stack: Stack) -> None:
    """Connections are split by percent; a change of it alone makes no revision; who has none is ended."""
    stack.write(SERVICE.format(version="1", traffics=ALL))
    await stack.must_up()
    stack.write(SERVICE.format(version="2", traffics=_split(20)))
    output = await stack.must_up()
    at_twenty, both = await _ask(_address(stack), 50), stack.services.pids
    stack.write(SERVICE.format(version="2", traffics=_split(60)))
    await stack.must_up()
    at_sixty, still = await _ask(_address(stack), 50), stack.services.pids
    stack.write(SERVICE.format(version="2", traffics=_split(0)))
    await stack.must_up()
    rolled_back, old = await _ask(_address(stack), 5), stack.services.pids
    stack.write(SERVICE.format(version="2", traffics=ALL))
    await stack.must_up()
    promoted = await _ask(_address(stack), 5)
    unchanged = await stack.run("preview", "--expect-no-changes")

    assert "locations/europe-west1/services/greeter/revisions/greeter-00002" in output
    assert (at_twenty, at_sixty) == ({b"1": 40, b"2": 10}, {b"1": 20, b"2": 30})
    assert both == still
    assert [*both] == ["greeter-00001", "greeter-00002"]
    assert rolled_back == {b"1": 5}
    assert old == {"greeter-00001": both["greeter-00001"]}
    assert promoted == {b"2": 5}
    assert [*stack.services.pids] == ["greeter-00002"]
    assert unchanged.code == 0, unchanged.output


async def test_a_revision_without_traffic_must_start_all_the_same(stack: Stack) -> None:
    """One that does not fails the update; one that does is known, runs no more, and can be given traffic."""
    stack.write(SERVICE.format(version="1", traffics=ALL))
    await stack.must_up()
    stack.write(SERVICE.format(version="broken", traffics=_split(0)))
    failed = await stack.up()
    stack.write(SERVICE.format(version="3", traffics=_split(0)))
    await stack.must_up()
    (record,) = stack.cloud.records.of_type(run.SERVICE.type)

    assert failed.code != 0
    assert "VERSION is broken" in failed.output
    assert record.outputs["latestReadyRevision"].endswith("/greeter-00003")
    assert [*stack.services.pids] == ["greeter-00001"]


@pytest.mark.parametrize("stable", ["greeter-00007", "greeter-00002"])
async def test_an_unknown_revision_gets_no_traffic(stack: Stack, stable: str) -> None:
    """One that never was, or never became ready, is refused, and what served serves on."""
    stack.write(SERVICE.format(version="1", traffics=ALL))
    await stack.must_up()
    stack.write(SERVICE.format(version="broken", traffics=ALL))
    await stack.up()
    stack.write(SERVICE.format(version="3", traffics=_split(50, stable)))
    refused = await stack.up()

    assert refused.code != 0
    assert (
        f"the traffic names revision {stable}, which is not there: known are greeter-00001" in refused.output
    )
    assert await _ask(_address(stack), 2) == {b"1": 2}


async def test_a_split_comes_back_with_its_cloud(local_cloud: LocalCloud, stack: Stack) -> None:
    """What is recorded is enough to run both revisions again, each with its own environment and share."""
    stack.write(SERVICE.format(version="1", traffics=ALL))
    await stack.must_up()
    stack.write(SERVICE.format(version="2", traffics=_split(50)))
    await stack.must_up()
    stack.write(SERVICE.format(version="broken", traffics=_split(50)))
    await stack.up()
    (record,) = stack.cloud.records.of_type(run.SERVICE.type)

    async with ServiceKind(local_cloud.assembly.services._runner, 0) as again:
        await again.restore(record)
        (address,) = again.addresses.values()
        answers = await _ask(address, 10)

    assert answers == {b"1": 5, b"2": 5}


async def test_no_request_is_lost_on_the_way(stack: Stack) -> None:
    """Clients that call without a pause, and never again, get an answer to every call through all of it."""
    stack.write(SERVICE.format(version="1", traffics=ALL))
    await stack.must_up()
    answers: Counter[bytes] = Counter()
    is_over = asyncio.Event()

    async def call() -> None:
        options = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))
        async with grpc.aio.insecure_channel(_address(stack), options=options) as channel:
            while not is_over.is_set():
                answers[await channel.unary_unary("/Greeter/Greet")(b"", timeout=20)] += 1

    async with asyncio.timeout(100), asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(call())
        for traffics in (_split(50), _split(0), _split(50), ALL):
            stack.write(SERVICE.format(version="2", traffics=traffics))
            await stack.must_up()
        is_over.set()

    assert answers[b"1"] > 0
    assert answers[b"2"] > 0
