"""The fixtures of `pubsub_emulator.testing`, in a suite of a stranger's."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

PATIENCE_SECONDS: Final = 60
SUITE: Final = """
import os

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import pubsub_v1

seen = []


@pytest.mark.parametrize("number", [1, 2])
def test_a_message_comes_back(pubsub_emulator, number):
    with pubsub_v1.SubscriberClient() as subscriber:
        publisher = pubsub_v1.PublisherClient()
        topic = publisher.topic_path(pubsub_emulator.project, "words")
        subscription = subscriber.subscription_path(os.environ["PUBSUB_PROJECT_ID"], "reader")
        with pytest.raises(NotFound):
            publisher.get_topic(topic=topic)
        publisher.create_topic(name=topic)
        subscriber.create_subscription(name=subscription, topic=topic)
        publisher.publish(topic, b"ahoj").result(timeout=30)
        (received,) = subscriber.pull(subscription=subscription, max_messages=10).received_messages
        publisher.transport.close()
    assert received.message.data == b"ahoj"
    seen.append(pubsub_emulator.address)


def test_one_emulator_serves_all(pubsub_emulator_address):
    assert {*seen} == {pubsub_emulator_address}
    assert "PUBSUB_EMULATOR_HOST" not in os.environ
"""


def test_a_suite_gets_an_emulator_and_each_test_a_project(tmp_path: Path) -> None:
    """One line in conftest.py is enough: clients find the emulator, and no test what another one made."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["pubsub_emulator.testing"]\n')
    (tmp_path / "test_words.py").write_text(SUITE)

    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "3 passed" in answer.stdout


@pytest.mark.parametrize("given", [b"", b"a line\n"])
async def test_the_emulator_ends_with_whoever_started_it(given: bytes) -> None:
    """With `--until-eof` it stops when its standard input ends, as it does with a parent that is killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pubsub_emulator", "--port", "0", "--until-eof"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.stdout.readline()
            running = process.returncode is None
            await process.communicate(given)
    finally:
        if process.returncode is None:
            process.kill()

    assert running
    assert process.returncode == 0
