"""A finding says since when it stands and how much it holds, or why that is unknown."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from event_store_infra.preview.effects.bus.pubsub import SUBSCRIPTION, TOPIC
from event_store_infra.preview.plan.compared import program_of
from event_store_infra.preview.plan.plan import Plan, Step
from event_store_infra.preview.report.backlog import ask_monitoring, say_unmeasured
from event_store_infra.preview.review import review
from tests.event_store_infra.preview.report.monitoring import TimeSeriesServer, monitoring_server
from tests.event_store_infra.preview.steps import step_of
from tools import ROOT

REFUSED: Final = json.dumps({"error": {"code": 403, "message": "Permission denied", "status": "x"}})


@pytest.fixture
def monitoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TimeSeriesServer]:
    """Return a Cloud Monitoring that this process asks."""
    with monitoring_server() as server:
        for name, value in server.variables(tmp_path).items():
            monkeypatch.setenv(name, value)
        yield server


def _goes(kind: str, name: str, *, project: str = "p-1") -> dict[str, Any]:
    folder = "topics" if kind == TOPIC else "subscriptions"
    made: dict[str, Any] = {"id": f"projects/{project}/{folder}/{name}", "created": "2026-03-01T10:00:00Z"}
    return step_of("delete", kind, f"bus-{name}", {}, **made)


def _text(*steps: dict[str, Any]) -> str:
    return json.dumps({"steps": steps, "changeSummary": {"delete": len(steps), "same": 3}})


def _steps(*steps: dict[str, Any]) -> tuple[Step, ...]:
    return Plan.parse(_text(*steps)).steps


def _told(answers: Mapping[str, str]) -> list[str]:
    return list(answers.values())


def test_each_backlog_is_told_with_its_age(monitoring: TimeSeriesServer) -> None:
    """Of a subscription its own, of a topic that of all its subscriptions, over all regions."""
    monitoring.measure("subscription", "reader", [1204], [11_565])
    monitoring.measure("subscription", "mailer", [0], [0])
    monitoring.measure("topic", "words", [2, 3, 1], [40, 90_000, 0])
    steps = _steps(*(_goes(SUBSCRIPTION, each) for each in ("reader", "mailer")), _goes(TOPIC, "words"))

    told, by = _told(ask_monitoring(steps)), ", by Cloud Monitoring at 08:12 UTC"

    assert told == [
        f"it holds 1,204 messages that nobody has acknowledged, the oldest for 3 h 12 min{by}",
        f"it holds no message that nobody has acknowledged{by}",
        f"its subscriptions hold 6 messages that nobody has acknowledged, the oldest for 1 d 1 h{by}",
    ]


def test_any_number_is_asked_in_pieces_and_of_each_project(monitoring: TimeSeriesServer) -> None:
    """Google takes so many names at once, and gives so many series in a page."""
    names = [f"s-{number}" for number in range(120)]
    for name in names:
        monitoring.measure("subscription", name, [7], [7])
    steps = _steps(*(_goes(SUBSCRIPTION, each) for each in names), _goes(TOPIC, "words", project="p-2"))
    answers = _told(ask_monitoring(steps))

    assert sum("holds 7 messages" in each for each in answers) == len(names)
    assert answers[-1].startswith("its backlog is unknown: Cloud Monitoring has measured none of it")


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ((403, REFUSED), "Cloud Monitoring answers 403, `{'error'"),
        ((403, "`</details>@octocat\n# x"), "Cloud Monitoring answers 403, `'</details>@octocat # x`;"),
        ((500, ""), "Cloud Monitoring answers 500"),
        ((200, "<html>"), "Cloud Monitoring answers what cannot be read (JSONDecodeError)"),
        ((200, "[]"), "Cloud Monitoring answers what cannot be read"),
        ((200, '{"timeSeries": [{"points": [{}]}]}'), "Cloud Monitoring answers what cannot be read"),
        ((200, "{}"), "Cloud Monitoring has measured none of it in the last 15 minutes"),
    ],
)
def test_what_is_not_told_is_unknown(
    monitoring: TimeSeriesServer, failure: tuple[int, str], reason: str
) -> None:
    """Whatever it answers, the reason is one line, in which a text of others is code."""
    monitoring.failure = failure
    (answer,) = _told(ask_monitoring(_steps(_goes(SUBSCRIPTION, "reader"))))

    assert answer.startswith("its backlog is unknown: ")
    assert reason.replace("'error'", '"error"') in answer
    assert len(answer.splitlines()) == 1
    assert ("does it allow `monitoring.timeSeries.list`?" in answer) == (failure[0] == 403)


def test_nobody_waits_for_an_answer_that_does_not_come(monitoring: TimeSeriesServer) -> None:
    """The time limit is of all together, however many are asked."""
    monitoring.hangs = True
    begun = time.monotonic()
    answers = _told(ask_monitoring(_steps(*(_goes(SUBSCRIPTION, f"s-{n}") for n in range(120))), 1.0))

    assert time.monotonic() - begun < 5
    assert {*answers} == {"its backlog is unknown: Cloud Monitoring has not told within 1 s"}


def test_no_process_outlives_the_limit(monitoring: TimeSeriesServer) -> None:
    """A call that hangs keeps nobody from the end, also not one of many pieces."""
    monitoring.hangs = True
    program = (
        "import sys; from event_store_infra.preview.report.backlog import ask_monitoring; "
        "from event_store_infra.preview.plan.plan import Plan; "
        "print(len(ask_monitoring(Plan.parse(sys.stdin.read()).steps, 2.0)))"
    )
    begun = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ,
        input=_text(*(_goes(SUBSCRIPTION, f"s-{number}") for number in range(1000))),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert answer.stdout == "1000\n"
    assert time.monotonic() - begun < 20


def test_who_has_no_credentials_is_told_so(
    monitoring: TimeSeriesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop without Google's is no failure, and neither is a Google that is away."""
    step = _steps(_goes(SUBSCRIPTION, "reader"))
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING", "http://127.0.0.1:9")
    (away,) = _told(ask_monitoring(step))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/at/all.json")
    (without,) = _told(ask_monitoring(step))

    assert "Cloud Monitoring cannot be reached" in away
    assert "there are no Application Default Credentials" in without
    assert monitoring.asked == []


def test_nothing_is_asked_of_what_has_no_backlog(
    monitoring: TimeSeriesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database has none, and an id that is not one of Google's could be another question."""
    steps = _steps(
        _goes("gcp:sql/database:Database", "words"),
        _goes(SUBSCRIPTION, 'x") OR resource.type = one_of("y'),
        _goes(SUBSCRIPTION, "reader", project="../other"),
    )

    # Not even for credentials, which take seconds to look for where there are none: these would block.
    os.mkfifo(tmp_path / "blocks")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "blocks"))
    begun = time.monotonic()

    assert ask_monitoring(steps, 5.0) == {}
    assert time.monotonic() - begun < 2
    assert monitoring.asked == []


def test_the_summary_says_both_where_it_is_asked(monitoring: TimeSeriesServer, tmp_path: Path) -> None:
    """`judge` asks only with `--backlog`; the age is the engine's own, and needs nobody."""
    monitoring.measure("subscription", "reader", [3], [61])

    def judge(*flags: str) -> str:
        answer = subprocess.run(
            [sys.executable, "-m", "event_store_infra.preview", "judge", "prod", *flags],
            cwd=ROOT,
            env=os.environ,
            input=_text(_goes(SUBSCRIPTION, "reader")),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert answer.returncode == 1
        assert "refuses prod: data would be lost with bus-reader" in answer.stderr
        return answer.stdout

    silent = judge()
    asked_before = len(monitoring.asked)
    told = judge("--backlog", "--summary", str(tmp_path / "summary.md"))

    assert "  - it is in the stack since 2026-03-01\n" in silent
    assert asked_before == 0
    assert "backlog is unknown" not in silent
    assert (
        "  - it is in the stack since 2026-03-01\n"
        "  - it holds 3 messages that nobody has acknowledged, the oldest for 1 min 1 s, by Cloud"
    ) in told
    assert (tmp_path / "summary.md").read_text() == told


def test_the_backlog_of_this_machine_is_said_to_be_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    """No Cloud Monitoring has the emulated Pub/Sub, and no word would read as if it held nothing."""
    with pytest.raises(Exception, match="refuses local"):
        review("local", _text(_goes(SUBSCRIPTION, "reader")), ask=say_unmeasured)

    assert (
        "  - its backlog is unknown: nobody measures the Pub/Sub of this machine\n" in capsys.readouterr().out
    )


def test_what_was_made_for_the_preview_has_no_age(
    monitoring: TimeSeriesServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stack that another program has brought up a moment ago holds nothing."""
    with pytest.raises(Exception, match="refuses prod"):
        review(
            *("prod", _text(_goes(SUBSCRIPTION, "reader"))),
            compared=program_of("origin/main", "0123456789ab"),
            ask=ask_monitoring,
        )

    assert "in the stack since" not in capsys.readouterr().out
    assert monitoring.asked == []
