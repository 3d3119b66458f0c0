"""The command `event-store import`, as a person and a script use it."""

import asyncio
import json
import signal
from uuid import uuid4

import pytest

from event_store.server.server import Server
from tests.event_store.command import PATIENCE_SECONDS, run, started

DIGITS = '{"price": 0.10000000000000000555, "large": 12345678901234567890123}'


@pytest.fixture
def target(server: Server) -> dict[str, str]:
    """The variable that names the service."""
    return {"EVENT_STORE_TARGET": f"127.0.0.1:{server.port}"}


def lines(size: int, **fields: object) -> list[str]:
    """Make the lines of one aggregate's events."""
    common: dict[str, object] = {"aggregate_id": str(uuid4()), "aggregate_type": "Order"}
    common |= {"event_type": "Counted"}
    common |= {"occurred_at": "1999-12-31T23:59:59.5Z", "event_data": 0, **fields}
    return [json.dumps(common | {"event_version": version}) + "\n" for version in range(1, size + 1)]


async def test_what_read_writes_import_takes(target: dict[str, str]) -> None:
    """A log read as JSON and imported is the same log, digit for digit, but for where and when it lies."""
    events = "".join(lines(3, metadata={"user": 7}, event_id=None)).replace('"event_id": null, ', "")
    events = events.replace('"event_data": 0', f'"event_data": {DIGITS}')
    first = await run("import", "--import-id", "one", "--json", stdin=events, **target)
    written = await run("read", "--json", **target)
    other_ids = {each["event_id"]: str(uuid4()) for each in written.lines}
    moved = written.out.replace(written.lines[0]["aggregate_id"], str(uuid4()))
    for before, after in other_ids.items():
        moved = moved.replace(before, after)

    second = await run("import", "--import-id", "two", stdin=moved, **target)
    read = await run("read", "--json", "--from", "4", **target)

    assert first.lines == [{"import_id": "one", "stored_events": 3, "last_global_position": 3}]
    assert (second.code, second.out) == (0, "6  two is complete: 3 events stored\n")
    assert second.err == "0 events stored\n"
    assert written.out.count('"price": 0.10000000000000000555') == 3
    assert written.out.count("12345678901234567890123") == 3
    own = ("global_position", "created_at")
    assert [{k: v for k, v in line.items() if k not in own} for line in read.lines] == [
        {k: v for k, v in json.loads(line).items() if k not in own} for line in moved.splitlines()
    ]
    assert {line["occurred_at"] for line in read.lines} == {"1999-12-31T23:59:59.500000Z"}


async def test_an_append_keeps_the_digits_of_its_lines(target: dict[str, str]) -> None:
    """A number is stored as it stands in the line, not as a double."""
    event = {"aggregate_id": str(uuid4()), "aggregate_type": "Order", "event_type": "Counted"}
    line = json.dumps({**event, "event_data": 0}).replace(": 0}", f": {DIGITS}}}")

    await run("append", stdin=line + "\n", **target)
    read = await run("read", **target)

    assert "0.10000000000000000555" in read.out
    assert "12345678901234567890123" in read.out


async def test_an_import_that_was_killed_goes_on(target: dict[str, str]) -> None:
    """SIGKILL to the command in the middle; the same lines again store what is missing, once."""
    source = lines(4000)
    async with (
        started("import", "--import-id", "legacy", **target) as first,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        assert first.stdin is not None
        first.stdin.write("".join(source[:2500]).encode())
        await first.stdin.drain()
        while (await run("status", "--json", **target)).lines[0]["head_position"] < 2000:
            pass
        first.kill()
        await first.wait()

    second = await run("import", "--import-id", "legacy", stdin="".join(source), **target)
    read = await run("read", "--json", **target)

    assert second.code == 0
    assert second.err.startswith("2000 events stored\n")
    assert [line["event_version"] for line in read.lines] == list(range(1, 4001))


async def test_an_import_is_interrupted_at_once(target: dict[str, str]) -> None:
    """Ctrl-C ends it with code 130 and without a traceback, even while standard input says nothing."""
    async with started("import", "--import-id", "a", **target) as process, asyncio.timeout(PATIENCE_SECONDS):
        assert process.stderr is not None
        assert await process.stderr.readline() == b"0 events stored\n"
        process.send_signal(signal.SIGINT)
        err = await process.stderr.read()

        assert (await process.wait(), err) == (130, b"")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("{\n", "line 3: not JSON ("),
        ("[]\n", "line 3: not a JSON object: write one JSON object per line"),
        ("{}\n", "line 3: aggregate_id: is missing"),
        (*lines(1, expected_version=1), "line 3: expected_version: unknown field: use aggregate_id"),
        (*lines(1, occurred_at="2025"), "line 3: occurred_at: invalid time '2025': use ISO 8601"),
        (*lines(1, occurred_at="2025-01-01T00:00:00"), "event 3: occurred_at: has no time zone"),
        (
            lines(1)[0].replace("1}", '"1"}'),
            "event 3: event_version: invalid value '1': use a whole number from 1 to",
        ),
        (lines(2)[1], "event 3: aggregate "),
        (*lines(1, event_data=float("nan")), "event 3: event_data: is not JSON"),
    ],
)
async def test_a_wrong_line_is_named_without_a_traceback(
    target: dict[str, str], wrong: str, message: str
) -> None:
    """Code 1 and one message with the number of the line; a line before it is stored or can be sent again."""
    source = [*lines(2), wrong]

    outcome = await run("import", "--import-id", "a", stdin="".join(source), **target)

    progress, error = outcome.err.splitlines()
    assert (outcome.code, outcome.out) == (1, "")
    assert progress == "0 events stored"
    assert error.startswith(f"event-store: error: {message}")


async def test_an_import_needs_a_name_and_lines(target: dict[str, str]) -> None:
    """Wrong usage is code 2, an empty source is an import of nothing."""
    assert (await run("import", **target)).code == 2
    empty = await run("import", "--import-id", "a", stdin="", **target)

    assert (empty.code, empty.out) == (0, "0  a is complete: 0 events stored\n")
