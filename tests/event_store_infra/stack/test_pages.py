"""The pages agree with the code: whoever looks for a message, a setting or a word finds it."""

import ast
import re
from collections.abc import Iterator
from typing import Final

import grpc
import pytest

from event_store_infra.components.bus.topics import DEAD_LETTER_RETENTION
from event_store_infra.components.monitoring.alert import RUNBOOK as ALERTS
from event_store_infra.components.monitoring.alert import section
from event_store_infra.components.monitoring.alerts import SILENT_MINUTES, Watched, alerts
from event_store_infra.settings import MonitoringSettings
from event_store_infra.settings.reference import page
from tools import ROOT

SOURCES: Final = ("service", "local", "infra")
RUNBOOK: Final = (ROOT / "docs" / "howto" / "runbook.md").read_text("utf-8") + ALERTS.read_text("utf-8")


def _texts() -> Iterator[str]:
    """Yield each text of the sources, with a space for what an f-string fills in."""
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*.py"):
            nodes = [*ast.walk(ast.parse(path.read_text("utf-8")))]
            docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
            for node in nodes:
                if isinstance(node, ast.JoinedStr):
                    yield "".join(
                        str(each.value) if isinstance(each, ast.Constant) else " " for each in node.values
                    )
                elif isinstance(node, ast.Constant) and id(node) not in docstrings:
                    yield str(node.value)


def _quoted() -> set[str]:
    """Return what the first columns of the tables quote, and what the text quotes of a log."""
    columns = re.findall(r"^\| (`.*?) \| ", RUNBOOK, re.MULTILINE)
    return {
        *(each for column in columns for each in re.findall("`([^`]+)`", column)),
        *re.findall(r"says why \(`([^`]+)`\)", RUNBOOK),
    }


def test_every_message_of_the_runbook_is_one_that_is_printed() -> None:
    """`N` stands for a number and `…` for anything; the rest is in one text of the sources, word for word."""
    texts = [*_texts()]
    codes = {code.name for code in grpc.StatusCode}
    quoted = _quoted()
    unknown = [
        each
        for each in quoted - codes
        if not any(re.search(re.sub("…|N(?= )", ".*", each), text, re.DOTALL) for text in texts)
    ]

    assert len(quoted) > 8
    assert unknown == []


def test_every_setting_of_the_runbook_is_one_that_there_is() -> None:
    """A key that a page names is in docs/reference/settings.md, so that nobody sets one that is refused."""
    known = page()
    for path in (*(ROOT / "docs").rglob("*.md"), ALERTS):
        named = set(re.findall(r"event-store:[a-z_]+(?:\.[a-z_]+)*", path.read_text("utf-8")))
        missing = [each for each in named if f"`{each}" not in known and f"`{each}." not in known]
        assert missing == [], path.name


@pytest.mark.parametrize(
    ("title", "words", "above", "minutes"),
    [
        ("The database's disk is full", "nine tenths of", 0.9 * 1000, 5),
        ("Connections run out", "Four fifths of the database's connections", 0.8 * 200, 5),
        ("The read replica is behind", "256 MiB of the log behind", 256 * 2**20, 15),
        ("Instances are at their maximum", "One revision runs as many instances as", 7 - 0.5, 15),
        ("Appends are slow", "1 of 100 appends takes longer", 0.4, 10),
        ("Publishing fails", "for ten minutes or longer", 0, 10),
        ("The service logs errors", "Each line needs an operator", 0, 0),
        ("Dead letters", "gave up messages", 0, 0),
    ],
)
def test_the_runbook_says_when_an_alert_rings(
    title: str, words: str, above: float | None, minutes: int
) -> None:
    """The numbers of a section are those that its alert is made with."""
    watched = Watched(
        project="p", service="s", relay="", job="j", instance="i", replica="r", topics=["t"],
        subscriptions=["s"], dead_letters=["d"], least_instances=1, most_instances=7, most_connections=200,
        disk_limit_bytes=1000,
    )  # fmt: skip
    (alert,) = (
        each
        for each in alerts(watched, MonitoringSettings(enabled=True, append_milliseconds=400))
        if each.title == title
    )

    assert words in " ".join(section(title).split())
    assert (alert.above, alert.minutes) == (above, minutes)


def test_the_runbook_says_how_long_a_service_is_silent() -> None:
    """Ten minutes without a line, as its section says."""
    assert "heartbeat for ten minutes" in section("The service is silent")
    assert SILENT_MINUTES == 10


def test_dead_letters_are_kept_as_long_as_the_runbook_says() -> None:
    """31 days, which is the most that Pub/Sub keeps a message."""
    assert f"{31 * 24 * 60 * 60}s" == DEAD_LETTER_RETENTION
    assert "They are kept for 31 days" in section("Dead letters")
