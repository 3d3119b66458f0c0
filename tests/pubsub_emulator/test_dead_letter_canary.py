"""The canary sees whether a key goes on after a dead letter, and leaves nothing behind."""

import asyncio
import os
import sys
from typing import Final

from pubsub_emulator import PubSubServer
from tests.pubsub_emulator.bus import Bus, bus_at

PROJECT: Final = "canary-project"
LONGEST_SECONDS: Final = 120


async def _fly(bus: Bus, *arguments: str) -> tuple[int, str]:
    """Run the canary as a team does; gives its exit status and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.dead_letter_canary", "--project", PROJECT, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={
            **os.environ,
            "PUBSUB_EMULATOR_HOST": bus.address,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "GRPC_VERBOSITY": "NONE",
        },
    )
    async with asyncio.timeout(LONGEST_SECONDS):
        written, _ = await process.communicate()
    return process.returncode or 0, written.decode()


async def _left(bus: Bus) -> list[str]:
    project = f"projects/{PROJECT}"
    topics = [each.name async for each in await bus.publisher.list_topics(project=project)]
    return topics + [each.name async for each in await bus.subscriber.list_subscriptions(project=project)]


async def test_the_canary_sees_that_a_key_goes_on(bus: Bus) -> None:
    """Exit status 0, and its topics and subscriptions are gone."""
    status, written = await _fly(bus, "--timeout", "30")

    assert (status, written.splitlines()[-1:]) == (
        0,
        ["the third, published afterwards on the same key, arrived: the key goes on"],
    )
    assert await _left(bus) == []


async def test_the_canary_says_that_dead_letters_need_rights() -> None:
    """Exit status 1 without them, 0 once it grants them; gone are its topics and subscriptions each time."""
    agent = "service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    async with PubSubServer(service_agent=lambda _: agent) as server, bus_at(server.address) as bus:
        status, written = await _fly(bus, "--timeout", "1")
        assert (status, "did not become a dead letter" in written) == (1, True), written
        assert await _left(bus) == []

        status, written = await _fly(bus, "--timeout", "30", "--project-number", "123456789012")
        assert status == 0, written
        assert await _left(bus) == []


async def test_the_canary_refuses_a_timeout_that_is_none() -> None:
    """Exit status 2, before anything is made."""
    async with PubSubServer() as server, bus_at(server.address) as bus:
        for timeout in ("0", "-1", "nan", "inf", "soon"):
            status, written = await _fly(bus, f"--timeout={timeout}")
            assert (status, "--timeout" in written) == (2, True), written
