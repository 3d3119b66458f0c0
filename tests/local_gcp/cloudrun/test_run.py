"""Cloud Run's promises: jobs gate an update, a roll-out drops no request."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from tests.local_gcp.conftest import PROGRAMS, Stack

SERVICE = f"""
from pulumi_gcp import cloudrunv2
cloudrunv2.Service("greeter", name="greeter", location="europe-west1", deletion_protection=False,
    template={{{{"containers": [{{{{"image": "i", "commands": ["python"], "args": ["{PROGRAMS}/greeter.py"],
        "envs": [{{{{"name": "VERSION", "value": "{{version}}"}}}}],
        "startup_probe": {{{{"grpc": {{{{"port": 8080}}}}}}}}}}}}]}}}})
"""
JOB = """
from pulumi_gcp import cloudrunv2
cloudrunv2.Job("job", name="job", location="europe-west1", deletion_protection=False,
    run_execution_token="{execution}",
    labels={labels}, template={{"template": {{"max_retries": 0, "containers": [{{"image": "i",
        "commands": ["sh"], "args": ["-c", "echo looking for {path} && cat {path}"]}}]}}}})
"""


@asynccontextmanager
async def _greeter(stack: Stack) -> AsyncIterator[Any]:
    address = next(iter(stack.services.addresses.values()))
    async with grpc.aio.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        greet = channel.unary_unary("/Greeter/Greet")
        yield lambda: greet(b"", timeout=20)


async def test_a_failed_job_fails_the_update_and_the_next_one_tries_again(
    stack: Stack, tmp_path: Path
) -> None:
    """The message has the end of the job's log; when its cause is gone the same update succeeds."""
    path = tmp_path / "migration"
    stack.write(JOB.format(execution="1", labels={}, path=path))

    failed = await stack.up()
    path.write_text("done")
    again = await stack.up()
    unchanged = await stack.run("preview", "--expect-no-changes")

    assert failed.code != 0
    assert "execution job-1 failed: its command exited with 1" in failed.output
    assert f"looking for {path}" in failed.output
    assert again.code == 0, again.output
    assert unchanged.code == 0, unchanged.output


async def test_a_job_that_takes_longer_than_its_timeout_fails(stack: Stack, tmp_path: Path) -> None:
    """It is ended with all that it started, the update fails and says why, and nothing waits for it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    stack.write(JOB.replace('"max_retries"', '"timeout": "1s", "max_retries"').format(
        execution="1", labels={}, path=fifo
    ))  # fmt: skip

    failed = await stack.up()

    assert failed.code != 0
    assert "execution job-1 failed: its command ran longer than 1 s" in failed.output
    with pytest.raises(OSError, match="No such device or address"):  # nobody reads it any more
        os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)


async def test_a_job_is_tried_as_often_as_it_says(stack: Stack, tmp_path: Path) -> None:
    """`max_retries` come after the first attempt; one that succeeds is the last."""
    attempts = tmp_path / "attempts"
    job = JOB.replace("echo looking for {path} && cat {path}", "echo try >> {path}; exit {code}").replace(
        '"max_retries": 0', '"max_retries": 2'
    )
    stack.write(job.format(execution="1", labels={}, path=attempts, code=1))
    failed = await stack.up()
    tried = attempts.read_text().count("try")
    stack.write(job.format(execution="2", labels={}, path=attempts, code=0))
    await stack.must_up()

    assert failed.code != 0
    assert tried == 3
    assert attempts.read_text().count("try") == 4


async def test_a_container_has_nothing_of_the_developer(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither credentials nor settings of whoever runs it: a home of its own, and what Cloud Run gives."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/opt/developer/key.json")
    monkeypatch.setenv("PGPASSWORD", "developer")
    told = tmp_path / "environment"
    stack.write(
        JOB.replace("echo looking for {path} && cat {path}", "env > {path}").format(
            execution="1", labels={}, path=told
        )
    )
    await stack.must_up()
    variables = dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)

    assert variables["HOME"] == variables["CLOUDSDK_CONFIG"] != os.environ.get("HOME")
    assert variables.keys() - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        *("PATH", "HOME", "CLOUDSDK_CONFIG", "LANG", "PYTHONUNBUFFERED"),
        *("PUBSUB_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT", "GCE_METADATA_HOST", "GCE_METADATA_IP"),
        *("CLOUD_RUN_JOB", "CLOUD_RUN_EXECUTION"),
    }


async def test_an_execution_token_is_taken_once(stack: Stack) -> None:
    """A job that changes without its token is refused, as by Google."""
    stack.write(JOB.format(execution="1", labels={}, path="/dev/null"))
    await stack.must_up()

    stack.write(JOB.format(execution="1", labels={"team": "a"}, path="/dev/null"))
    refused = await stack.up()
    stack.write(JOB.format(execution="2", labels={"team": "a"}, path="/dev/null"))
    await stack.must_up()

    assert "Error 409: execution job-1 already exists" in refused.output


async def test_a_roll_out_drops_no_request(stack: Stack) -> None:
    """While a revision takes over, clients that call without a pause get an answer to every call."""
    stack.write(SERVICE.format(version="1"))
    await stack.must_up()
    answers: list[bytes] = []
    rolled_out = asyncio.Event()

    async def call() -> None:
        async with _greeter(stack) as greet:
            while not rolled_out.is_set() or answers[-1] != b"2":
                answers.append(await greet())

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(call())
        stack.write(SERVICE.format(version="2"))
        await stack.must_up()
        rolled_out.set()

    assert set(answers) == {b"1", b"2"}


async def test_a_revision_that_does_not_start_leaves_the_old_one_serving(stack: Stack) -> None:
    """The update fails with the end of its log, and the next good revision takes over."""
    stack.write(SERVICE.format(version="1"))
    await stack.must_up()

    stack.write(SERVICE.format(version="broken"))
    failed = await stack.up()
    async with _greeter(stack) as greet:
        served = await greet()
    stack.write(SERVICE.format(version="3"))
    await stack.must_up()
    async with _greeter(stack) as greet:
        replaced = await greet()

    assert failed.code != 0
    assert "revision greeter-00002 failed" in failed.output
    assert "VERSION is broken" in failed.output
    assert (served, replaced) == (b"1", b"3")


async def test_a_revision_that_dies_is_started_again(stack: Stack) -> None:
    """Connections wait at the front until it serves."""
    stack.write(SERVICE.format(version="1"))
    await stack.must_up()
    await stack.kill(stack.services)

    async with _greeter(stack) as greet:
        assert await greet() == b"1"


async def test_a_cancelled_update_ends_its_job_and_itself(stack: Stack, tmp_path: Path) -> None:
    """Pulumi cancels in good order: the job's process is gone, and the next update runs it again."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    stack.write(JOB.format(execution="1", labels={}, path=fifo))
    update = asyncio.create_task(stack.up())
    with await asyncio.to_thread(fifo.open, "w"):  # the job reads it, and waits for more
        stack.interrupt()
        cancelled = await update

    stack.write(JOB.format(execution="1", labels={}, path="/dev/null"))
    await stack.must_up()

    assert cancelled.code != 0
    assert "the update was cancelled" in cancelled.output
