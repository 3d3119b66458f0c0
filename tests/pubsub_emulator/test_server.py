"""The two servers as processes: they start, stop, and say what is wrong and how to fix it."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from google.api_core.exceptions import ServiceUnavailable

from local_gcp.errors import SetupError
from local_gcp.pubsub_api.google_emulator import OfficialEmulator
from pubsub_emulator import ListenError, PubSubServer
from tests.pubsub_emulator.bus import bus_at
from tests.pubsub_emulator.conftest import DIFFERENCES


async def test_start_and_stop_can_be_repeated() -> None:
    """A second start changes nothing, a second stop neither, and the port is free afterwards."""
    server = PubSubServer()
    await server.stop()
    await server.start()
    address = server.address
    await server.start()
    assert server.address == address
    await server.stop()
    await server.stop()

    host, port = address.split(":")
    async with PubSubServer(host, int(port)) as again:
        assert again.address == address


async def test_a_server_that_starts_anew_gives_other_message_ids() -> None:
    """A consumer that remembers ids does not take a new message for an old one."""
    ids: set[str] = set()
    for _ in range(2):
        async with PubSubServer() as server, bus_at(server.address) as bus:
            ids.update(await bus.publish(await bus.topic(), "0", "1", "2"))

    assert len(ids) == 6


async def test_a_taken_port_is_named_with_the_way_out() -> None:
    """Not a traceback from the depths of gRPC, and never a quietly shared port."""
    async with PubSubServer() as server:
        port = int(server.address.split(":")[1])
        with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{port}.*choose another port"):
            await PubSubServer(port=port).start()


async def test_a_stopping_server_ends_its_streams_at_once() -> None:
    """UNAVAILABLE, upon which clients reconnect; nobody waits for a timeout."""
    server = PubSubServer()
    await server.start()
    async with bus_at(server.address) as bus:
        subscription = await bus.subscription(await bus.topic())
        async with bus.stream(subscription) as stream:
            await bus.publish((await bus.subscriber.get_subscription(subscription=subscription)).topic, "x")
            await stream.receive(1)
            async with asyncio.timeout(5):
                await server.stop()
                with pytest.raises(ServiceUnavailable):
                    await stream.receive(1)


async def test_the_command_serves_until_it_is_told_to_stop() -> None:
    """`python -m pubsub_emulator --port 0` prints its address and ends cleanly on SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "pubsub_emulator", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = (await process.stdout.readline()).decode()
        async with bus_at(line.strip().split("=")[1]) as bus:
            await bus.publish(await bus.topic(), "x")
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()

    assert (process.returncode, errors.decode()) == (0, "")


async def test_the_command_says_that_its_port_is_taken() -> None:
    """One line and exit code 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pubsub_emulator", "--port", str(taken.getsockname()[1])),
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "GRPC_VERBOSITY": "NONE"},
        )
        async with asyncio.timeout(30):
            _, errors = await process.communicate()

    assert process.returncode == 1
    assert "choose another port" in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_the_emulator_without_java_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is missing, how to install it, and that the embedded Pub/Sub needs none."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SetupError, match=r"java.*install.*embedded Pub/Sub"):
        await OfficialEmulator().start()


def test_every_known_difference_names_a_test() -> None:
    """A test that is renamed takes its difference along."""
    source = "".join(path.read_text() for path in Path(__file__).parent.rglob("test_*.py"))

    unknown = [name for name in DIFFERENCES if f"def {name.split('[')[0]}(" not in source]

    assert unknown == []
