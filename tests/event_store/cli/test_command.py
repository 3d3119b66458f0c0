"""The command `event-store`, as a person and a script use it."""

import asyncio
import json
import os
import signal
import sys
from typing import Any
from uuid import uuid4

import pytest

from event_store.server.server import Server
from local_gcp.system.ports import free_port
from pubsub_emulator import PubSubServer
from tests.conftest import TestDatabase
from tests.event_store.command import PATIENCE_SECONDS, ROOT, run, started


@pytest.fixture
def target(server: Server) -> dict[str, str]:
    """The variable that names the service."""
    return {"EVENT_STORE_TARGET": f"127.0.0.1:{server.port}"}


async def test_an_event_is_appended_and_read_back(target: dict[str, str]) -> None:
    """Options in, a line out, for a person and as JSON."""
    aggregate_id = str(uuid4())
    what = [
        "append",
        "--aggregate-type",
        "Vocabulary",
        "--aggregate-id",
        aggregate_id,
        "--event-type",
        "WordAdded",
    ]
    what += ["--data", '{"word": "größe"}', "--metadata", '{"user": 1}']

    appended = await run(*what, "--expected-version", "no-stream", **target)
    again = await run(*what, "--expected-version", "1", "--json", **target)
    read = await run("read", "--aggregate-id", aggregate_id, "--json", **target)
    shown = await run("read", "--backwards", "--limit", "1", **target)

    assert (appended.code, appended.err) == (0, "")
    assert appended.out == f"1  {aggregate_id} is at version 1\n"
    assert again.lines == [
        {
            "aggregate_id": aggregate_id,
            "event_version": 2,
            "first_global_position": 2,
            "last_global_position": 2,
            "duplicate": False,
        }
    ]
    assert [(e["event_version"], e["event_data"], e["metadata"]) for e in read.lines] == [
        (1, {"word": "größe"}, {"user": 1}),
        (2, {"word": "größe"}, {"user": 1}),
    ]
    assert shown.out.startswith("2  ")
    assert f'Vocabulary {aggregate_id} v2  WordAdded  {{"word": "größe"}}  {{"user": 1}}' in shown.out


async def test_lines_from_standard_input_are_appended_in_order(target: dict[str, str]) -> None:
    """Each line is an event; sending the same lines again changes nothing."""
    aggregate_id = str(uuid4())
    lines = "".join(
        json.dumps(
            {
                "aggregate_id": aggregate_id,
                "aggregate_type": "Order",
                "event_type": "Counted",
                "event_data": number,
                "metadata": {"n": number},
                "event_id": str(uuid4()),
                "occurred_at": "2025-08-09T12:00:00Z",
                "expected_version": number,
            }
        )
        + "\n"
        for number in range(3)
    )

    first = await run("append", "--json", stdin=lines, **target)
    second = await run("append", "--json", stdin=lines, **target)
    read = await run("read", "--json", "--from", "2", **target)

    assert [line["duplicate"] for line in first.lines] == [False] * 3
    assert [line["duplicate"] for line in second.lines] == [True] * 3
    assert [(e["event_data"], e["occurred_at"]) for e in read.lines] == [
        (1, "2025-08-09T12:00:00.000000Z"),
        (2, "2025-08-09T12:00:00.000000Z"),
    ]


def _line(**fields: object) -> str:
    event = {"aggregate_id": "no uuid", "aggregate_type": "A", "event_type": "B", "event_data": 1}
    return json.dumps(event | fields)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: not JSON ("),
        ("[]", "line 1: not a JSON object: write one JSON object per line"),
        ("{}", "line 1: aggregate_id: is missing"),
        (_line(aggregate_id=1), "line 1: aggregate_id: invalid value 1: use a string"),
        (_line(), "line 1: appends[0].aggregate_id"),
        (_line(data=2), "line 1: data: unknown field: use aggregate_id"),
        (_line(occurred_at="now"), "occurred_at: invalid time 'now': use ISO 8601"),
        (_line(expected_version=-1), "expected_version: invalid value -1: use any, no-stream"),
    ],
)
async def test_a_wrong_line_is_named_without_a_traceback(
    target: dict[str, str], line: str, message: str
) -> None:
    """The number of the line, the field, and what is allowed."""
    outcome = await run("append", stdin=line + "\n", **target)

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("event-store: error: ")
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


async def test_a_conflict_is_one_message(target: dict[str, str]) -> None:
    """A wrong expected version says what the version is."""
    what = [
        "append",
        "--aggregate-type",
        "A",
        "--aggregate-id",
        str(uuid4()),
        "--event-type",
        "B",
        "--data",
        "1",
    ]

    outcome = await run(*what, "--expected-version", "7", **target)

    assert outcome.code == 1
    assert "is at version 0, expected 7: load it and decide again" in outcome.err


async def test_tail_follows_what_is_appended(target: dict[str, str]) -> None:
    """What was there, then what comes; Ctrl-C ends it without a traceback."""
    what = ["append", "--aggregate-type", "A", "--aggregate-id", str(uuid4()), "--event-type", "B", "--data"]
    await run(*what, "1", **target)
    async with started("tail", "--from", "1", "--json", **target) as tail, asyncio.timeout(PATIENCE_SECONDS):
        assert tail.stdout is not None
        assert json.loads(await tail.stdout.readline())["event_data"] == 1
        await run(*what, "2", **target)
        assert json.loads(await tail.stdout.readline())["event_data"] == 2

        tail.send_signal(signal.SIGINT)
        _, err = await tail.communicate()

    assert (tail.returncode, err) == (130, b"")


async def test_read_and_tail_choose_events_by_type_and_time(target: dict[str, str]) -> None:
    """The log can be cut to types, beginnings of types, and what was recorded since a time."""
    common = {"aggregate_type": "A", "aggregate_id": str(uuid4()), "event_data": 0}
    types = ["WordAdded", "Other", "WordMoved"]
    lines = "".join(json.dumps({**common, "event_type": each}) + "\n" for each in types)
    await run("append", stdin=lines, **target)
    words = ["--aggregate-type", "A", "--event-type", "Word*", "--json"]

    every = (await run("read", "--json", **target)).lines
    read = await run("read", *words, **target)
    since = await run("read", *words, "--from-time", every[1]["created_at"], **target)
    before = await run("read", "--from-time", every[1]["created_at"], "--backwards", "--json", **target)
    async with started("tail", "--from", "2", *words, **target) as tail, asyncio.timeout(PATIENCE_SECONDS):
        assert tail.stdout is not None
        followed = json.loads(await tail.stdout.readline())

    assert read.lines == [every[0], every[2]]
    assert since.lines == [every[2]]
    assert before.lines == [every[1], every[0]]
    assert followed == every[2]


async def test_status_shows_the_head(target: dict[str, str]) -> None:
    """For a person and for a script."""
    shown = await run("status", **target)
    as_json = await run("status", "--json", **target)

    assert "head_position    0" in shown.out
    assert as_json.lines[0]["head_position"] == 0


async def test_a_reader_that_has_enough_is_no_error(target: dict[str, str]) -> None:
    """`event-store read | head -1` ends without a complaint."""
    line = {"aggregate_type": "A", "event_type": "B", "event_data": "x" * 100_000}
    lines = "".join(json.dumps({"aggregate_id": str(uuid4()), **line}) + "\n" for _ in range(5))
    await run("append", stdin=lines, **target)
    async with started("read", **target) as process, asyncio.timeout(PATIENCE_SECONDS):
        assert process.stdout is not None
        assert process.stderr is not None
        await process.stdout.read(10)
        process.stdout._transport.close()  # type: ignore[attr-defined] # as `head` does
        assert await process.stderr.read() == b""
        assert await process.wait() == 1


async def test_a_service_that_is_not_there_is_one_message() -> None:
    """It names the target, soon."""
    outcome = await run("status", "--target", "127.0.0.1:1", "--timeout", "0.5")

    assert outcome.code == 1
    assert "the service cannot be reached" in outcome.err
    assert "(--target is 127.0.0.1:1: check that the service runs there)" in outcome.err
    assert "Traceback" not in outcome.err


async def test_from_an_empty_database_to_a_published_event(database: TestDatabase) -> None:
    """Migrate, serve with a topology, append, see it relayed; SIGTERM ends serve and relay with code 0."""
    routed = ("--topology", "topology.yaml", "--project", "event-store-local")
    port = str(free_port())
    target = {"EVENT_STORE_TARGET": f"127.0.0.1:{port}"}
    what = [
        "append",
        "--aggregate-type",
        "Vocabulary",
        "--aggregate-id",
        str(uuid4()),
        "--event-type",
        "Added",
    ]
    async with PubSubServer() as pubsub:
        variables = {**database.variables(), "PUBSUB_EMULATOR_HOST": pubsub.address}
        migrated = await run("migrate", **database.variables("migrator"))
        await run("topology", "create", **variables)
        async with (
            started("serve", "--port", port, *routed, **variables) as serve,
            started("relay", *routed, **variables) as relay,
            asyncio.timeout(PATIENCE_SECONDS),
        ):
            appended = await run(*what, "--data", "1", "--timeout", "20", **target)
            refused = await run(*what[:2], "Nobody", *what[3:], "--data", "1", **target)
            status: dict[str, Any] = {}
            while status.get("relay_position") != 1:
                status = (await run("status", "--json", **target)).lines[0]
            for process in (serve, relay):
                process.send_signal(signal.SIGTERM)
                await process.wait()

    assert "nothing to do" in migrated.out
    assert appended.code == 0, appended.err
    assert "Nobody" in refused.err
    assert status["relay_owner"]
    assert (serve.returncode, relay.returncode) == (0, 0)


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["read"], ["tail", "--from", "1"], ["topology", "show"], ["read", "--help"]],
)
async def test_a_closed_output_is_code_1(target: dict[str, str], arguments: list[str]) -> None:
    """However little there is to write, and without a complaint; a script sees that not all was read."""
    event = {"aggregate_id": str(uuid4()), "aggregate_type": "A", "event_type": "B", "event_data": 1}
    await run("append", stdin=json.dumps(event) + "\n", **target)
    # What is written at once fails at once; buffered, it fails as the command ends.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reader, writer = os.pipe()
    os.close(reader)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "event_store.cli.main", *arguments),
            stdout=writer,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env={**buffered, **target},
        )
    finally:
        os.close(writer)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()

    assert (process.returncode, err) == (1, b"")
