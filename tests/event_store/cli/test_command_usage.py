"""What the command `event-store` says of itself, of wrong usage and of a wrong configuration."""

import re
from uuid import uuid4

import pytest

from event_store.cli.main import COMMANDS, main
from event_store.client import channel
from event_store.client.client import Client
from event_store.errors import ConfigurationError
from event_store.topology import Routing
from pubsub_emulator import PubSubServer
from tests.event_store.command import ROOT, run

TOO_BIG = str(10**30)
SOME_ID = "0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["topology", "drop"],
        ["read", "--limit", "many"],
        ["read", "--limit", "-1"],
        ["read", "--limit", TOO_BIG],
        ["read", "--from", "-1"],
        ["read", "--from", TOO_BIG],
        ["read", "--from", "9" * 5000],
        ["read", "--aggregate-id", SOME_ID, "--from", "2147483648"],
        ["read", "--aggregate-id", SOME_ID, "--event-type", "A"],
        ["read", "--from", "1", "--from-time", "2026-11-01T00:00:00Z"],
        ["read", "--event-type", "*A"],
        ["read", "--from-time", "2026-11-01"],
        ["read", "--target", "old:8080"],
        ["tail", "--from", "-1"],
        ["tail", "--from", TOO_BIG],
        *(["status", "--timeout", each] for each in ("nan", "inf", "-inf", "0", "-1", "1e9", "soon")),
        ["append", "--event-type", "A"],
        ["append", "--expected-version", "-1", "--event-type", "A"],
        ["import"],
        ["replay", "list", "--limit", "0"],
        ["replay", "list", "--limit", "1001"],
        ["replay", "start", "topic", "--rate", "-1"],
        ["replay", "start", "topic", "--rate", "100001"],
        ["replay", "start", "topic", "--from-position", TOO_BIG],
        ["replay", "start", "topic", "--to-position", "-1"],
        ["replay", "seek", "subscription"],
        ["parked", "list", "--limit", "0"],
        ["parked", "list", "--limit", TOO_BIG],
        ["parked", "list", "--event-id", SOME_ID],
        ["parked", "drop", "--event-id", "1", "--yes"],
        ["parked", "drop", "--event-id", SOME_ID],
        *(["dead-letters", "list", "s", "--timeout", each] for each in ("nan", "inf", "0", "-1")),
        ["dead-letters", "list", "s", "--limit", "1001"],
        ["dead-letters", "purge", "vocabulary-projection", "--topology", str(ROOT / "topology.yaml")],
        ["serve", "--port", "70000"],
        ["serve", "--project", "my-project"],
    ],
)
def test_wrong_usage_is_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A script can tell a wrong command from a command that failed."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (2, "")
    assert shown.err.startswith("usage: event-store")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each help has an example to copy."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert f"  event-store {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["relay"], "no routing: set EVENT_STORE_ROUTING, or give --topology and --project"),
        (["serve", "--topology", "missing.yaml", "--project", "my-project"], "the file cannot be read"),
        (
            ["topology", "create", "--topology", str(ROOT / "topology.yaml")],
            "PUBSUB_EMULATOR_HOST is not set",
        ),
    ],
)
def test_a_wrong_configuration_is_one_message(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong and how to fix it, without a traceback."""
    assert main(arguments) == 1

    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert shown.err.count("\n") == 1


async def test_options_that_belong_together_are_named() -> None:
    """An event needs its aggregate, type and data."""
    outcome = await run("append", "--event-type", "A", "--aggregate-id", str(uuid4()))

    assert (outcome.code, outcome.out) == (2, "")
    assert "options of the event are missing: give --aggregate-type and --data as well" in outcome.err


async def test_choices_that_have_no_meaning_are_named() -> None:
    """A time without a zone, types of one aggregate's events, a type that is none."""
    zone = await run("read", "--from-time", "2026-11-01")
    aggregate = await run("read", "--aggregate-id", str(uuid4()), "--event-type", "A")
    wrong = await run("tail", "--event-type", "*A")

    assert (zone.code, aggregate.code, wrong.code) == (2, 2, 2)
    assert "invalid time '2026-11-01': use ISO 8601 with a time zone" in zone.err
    assert "omit --aggregate-id" in aggregate.err
    assert "filter.event_types[0]: invalid type '*A'" in wrong.err


async def test_topology_show_prints_what_the_service_takes() -> None:
    """Its JSON is the value of EVENT_STORE_ROUTING."""
    shown = await run("topology", "show")
    as_json = await run("topology", "show", "--project", "my-project", "--json")

    assert "subscription vocabulary-projection of vocabulary-events: 5 attempts" in shown.out
    routing = Routing.from_json(as_json.out)
    assert routing.topics["vocabulary-events"].path == "projects/my-project/topics/vocabulary-events"


async def test_topology_create_makes_the_bus_and_leaves_what_exists() -> None:
    """Topics, subscriptions and dead letters, on an emulator; twice is harmless."""
    async with PubSubServer() as server:
        first = await run("topology", "create", PUBSUB_EMULATOR_HOST=server.address)
        second = await run("topology", "create", PUBSUB_EMULATOR_HOST=server.address)

    names = [
        "topics/vocabulary-events",
        "topics/progress-events",
        "topics/integration-events",
        "topics/vocabulary-projection-dead-letter",
        "subscriptions/vocabulary-projection-dead-letter",
        "subscriptions/vocabulary-projection",
    ]
    assert first.out.splitlines() == [f"created  projects/event-store-local/{name}" for name in names]
    assert second.out.splitlines() == [f"exists   projects/event-store-local/{name}" for name in names]


def test_every_place_says_the_same_of_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    """Help, error, docstring and document give the forms of a target in the same words."""
    with pytest.raises(SystemExit):
        main(["read", "--help"])
    with pytest.raises(ConfigurationError) as raised:
        channel.check("x")
    said = [
        capsys.readouterr().out,
        Client.__init__.__doc__,
        (ROOT / "docs" / "reference" / "client.md").read_text("utf-8"),
        str(raised.value),
    ]

    for text in said:
        assert " ".join(channel.FORMS.replace("`", "").split()) in " ".join(
            (text or "").replace("`", "").split()
        )


@pytest.mark.parametrize(
    "file", sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
)
def test_every_target_of_a_document_is_valid(file: str) -> None:
    """What a document or a help shows after --target can be typed."""
    shown = re.findall(r"--target[ =](\S+)", (ROOT / file).read_text("utf-8"))

    for each in shown:
        channel.check(each)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_target_of_a_help_is_valid(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The examples, too."""
    with pytest.raises(SystemExit):
        main([command, "--help"])

    for each in re.findall(r"--target[ =]([a-z]\S+)", capsys.readouterr().out):
        channel.check(each)
