"""The environment of our containers: each variable is judged by its name, wherever it stands in the list."""

import json

import pytest

from event_store import environment
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Severity
from event_store_infra.preview.effects.workload.run import JOB, POOL, SERVICE
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.effects.changed import changed
from tests.event_store_infra.preview.effects.judged import worst_of

PLAN = json.dumps(
    {
        "steps": [{"op": "update", "urn": f"urn:pulumi:prod::store::{SERVICE}::words"}],
        "changeSummary": {"update": 1},
    }
)
LOSES, STOPS, LESS_SAFE, NONE = Severity.LOSES, Severity.STOPS, Severity.LESS_SAFE, Severity.HARMLESS
OURS = {environment.DATABASE_LOGIN: "iam"}
NAMES = sorted(
    each for each in vars(environment).values() if isinstance(each, str) and each.startswith("EVENT_STORE_")
)


def _plan(old: dict[str, str], new: dict[str, str], kind: str = SERVICE) -> Plan:
    def containers(named: dict[str, str]) -> list[object]:
        return [{"image": "a", "envs": [{"name": key, "value": value} for key, value in named.items()]}]

    return changed(kind, "template.containers", containers(OURS | old), containers(OURS | new))


def _told(name: str, old: str | None, new: str | None) -> Effect:
    before, after = ({} if each is None else {name: each} for each in (old, new))
    return worst_of(_plan(before, after))


@pytest.mark.parametrize(
    ("name", "old", "new", "there", "back", "words"),
    [
        (environment.RELAY, None, "off", STOPS, NONE, "no longer publishes"),
        (environment.RELAY, "on", "off", STOPS, NONE, "no longer publishes"),
        (environment.STREAM_SECONDS, "3300", "60", LESS_SAFE, NONE, "have to resume"),
        (environment.STREAM_SECONDS, "3300", "3600", LESS_SAFE, LESS_SAFE, "in the middle"),
        (environment.STREAM_SECONDS, "3300", None, LESS_SAFE, LESS_SAFE, "in the middle"),
        (environment.STREAM_SECONDS, "3300", "0", LESS_SAFE, LESS_SAFE, "in the middle"),
        (environment.DATABASE_CA, "PEM", None, LESS_SAFE, NONE, "is checked less"),
        ("PGSSLMODE", "verify-full", "require", LESS_SAFE, NONE, "is checked less"),
        ("PGSSLMODE", "verify-ca", None, LESS_SAFE, NONE, "is checked less"),
        ("PGDATABASE", "words", "others", LOSES, LOSES, "sight of the log"),
        ("PGHOST", "10.0.0.1", "10.0.0.2", LOSES, LOSES, "sight of the log"),
        ("PGHOSTADDR", None, "10.0.0.2", LOSES, NONE, "sight of the log"),
        ("PGSERVICE", None, "other", LOSES, NONE, "sight of the log"),
        ("PGSERVICEFILE", "a", "b", LOSES, LOSES, "sight of the log"),
        ("GOOGLE_APPLICATION_CREDENTIALS", None, "/key.json", LESS_SAFE, LESS_SAFE, "another account"),
        (environment.REPLICA_HOST, "10.0.0.1", "10.0.0.2", STOPS, STOPS, "they get other events"),
        ("LD_PRELOAD", None, "/other.so", LESS_SAFE, LESS_SAFE, "nobody has said"),
        ("PUBSUB_EMULATOR_HOST", None, "localhost:1", STOPS, NONE, "an emulator"),
        ("EVENT_STORE_LATER", "1", "2", LESS_SAFE, LESS_SAFE, "nobody has said"),
        ("PGLATER", None, "2", LESS_SAFE, LESS_SAFE, "nobody has said"),
    ],
)
def test_a_variable_is_told_by_what_it_does(
    name: str, old: str | None, new: str | None, there: Severity, back: Severity, words: str
) -> None:
    """Each direction has an effect of its own."""
    assert (_told(name, old, new).severity, _told(name, new, old).severity) == (there, back)
    assert words in _told(name, old, new).what


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (environment.LOG_LEVEL, "INFO", "ERROR"),
        (environment.REPLICA_HOST, "a", None),
        (environment.DATABASE_CONNECTIONS, "6", "20"),
        (environment.DATABASE_CA, "PEM", LATER),
        ("PGHOST", "a", LATER),
        ("PGUSER", "a", "b"),
        ("OTEL_SERVICE_NAME", "a", None),
    ],
)
def test_what_stops_nobody_is_harmless(name: str, old: str | None, new: str | None) -> None:
    """What only slows down, or keeps a revision from becoming ready, is not told."""
    assert _told(name, old, new) == _told(name, new, old) == HARMLESS


@pytest.mark.parametrize("name", NAMES)
def test_each_variable_of_ours_is_classified(name: str) -> None:
    """A variable that the service learns fails here until it is."""
    assert "nobody has said" not in _told(name, "1", "2").what


def test_a_variable_is_found_by_its_name() -> None:
    """Another order, and another one before it, changes nothing of it."""
    first, second = {environment.RELAY: "on"}, {environment.LOG_LEVEL: "INFO"}

    assert worst_of(_plan(first | second, second | first)) == HARMLESS
    assert worst_of(_plan(second, {"OTEL_A": "1", **second})) == HARMLESS


def test_a_secret_is_a_value_like_others() -> None:
    """A variable that is read from a secret is not one that is gone."""
    secret = {"name": environment.DATABASE_CA, "valueSource": {"secretKeyRef": {"secret": "ca"}}}
    plain = {"name": environment.DATABASE_CA, "value": "PEM"}
    lists = ([{"image": "a", "envs": [each]}] for each in (plain, secret))

    assert worst_of(changed(SERVICE, "template.containers", *lists)) == HARMLESS


def test_a_secret_that_changes_may_be_the_address_of_another_database() -> None:
    """The engine names the place and blinds both values; one that does not change is no reason to refuse."""
    template = "template.containers[0]"

    def told(path: str) -> Effect:
        envs = [{"name": "PGHOST", "value": "[secret]"}, {"name": "EVENT_STORE_RELAY", "value": "on"}]
        step = json.loads(PLAN)
        step["steps"][0]["detailedDiff"] = {path: {"kind": "update", "inputDiff": True}}
        for state, image in (("oldState", "a"), ("newState", "b")):
            inputs = {"template": {"containers": [{"image": image, "envs": envs}]}}
            step["steps"][0][state] = {"custom": True, "id": "w", "inputs": inputs, "outputs": inputs}
        return worst_of(Plan.parse(json.dumps(step)))

    assert "sight of the log" in told(f"{template}.envs[0].value").what
    assert told(f"{template}.image") == HARMLESS


def test_the_summary_says_whom_the_relay_off_stops() -> None:
    """In the heading and in a line of its own, with the variable."""
    plan = _plan({}, {environment.RELAY: "off"})
    summary = render("prod", plan, judge(plan))

    assert "loses no data, but stops every consumer: the service no longer publishes" in summary
    assert '`template.containers[0].envs.EVENT_STORE_RELAY` unset → `"off"`' in summary


def test_another_database_is_judged_by_what_uses_it() -> None:
    """Only what is appended elsewhere is lost from sight; a relay or a migration is set right again."""
    template = {"containers": [{"image": "a", "envs": [{"name": "EVENT_STORE_RELAY", "value": "on"}]}]}

    def told(kind: str, path: str) -> Effect:
        old, new = (
            [{**each, "envs": [*each["envs"], {"name": "PGHOST", "value": host}]}]
            for host in ("10.0.0.1", "10.0.0.2")
            for each in template["containers"]
        )
        return worst_of(changed(kind, path, old, new))

    assert told(SERVICE, "template.containers").severity == LOSES
    assert "another one's events are published" in told(POOL, "template.containers").what
    assert "migrations run in another database" in told(JOB, "template.template.containers").what
