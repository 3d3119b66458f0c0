"""Applications of the library `eventsourcing` work on this event store, through the adapter of the docs."""

import ast
import asyncio
import io
import sys
import tokenize
from concurrent.futures import ThreadPoolExecutor, wait
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from eventsourcing.application import AggregateNotFoundError
from eventsourcing.persistence import DatabaseError, IntegrityError, NotSupportedError
from eventsourcing.projection import ApplicationSubscription
from eventsourcing.tests import application as library_application
from eventsourcing.tests import persistence as library_persistence
from eventsourcing.utils import Environment

from event_store import Client
from event_store.server.server import Server
from examples.eventsourcing_adapter import adapter
from examples.eventsourcing_adapter.adapter import Factory
from examples.eventsourcing_adapter.vocabularies import Vocabularies, Vocabulary
from tests.event_store.command import PATIENCE_SECONDS, ROOT

ADAPTER: Final = ROOT / "examples" / "eventsourcing_adapter" / "adapter.py"
MODULE: Final = "examples.eventsourcing_adapter.adapter"
SNAPSHOTS: Final = "examples.eventsourcing_adapter.snapshots:SnapshottingFactory"


@pytest.fixture
def application(server: Server) -> dict[str, str]:
    """What an application is told."""
    return {"PERSISTENCE_MODULE": MODULE, "EVENT_STORE_TARGET": f"127.0.0.1:{server.port}"}


async def _in_thread(work: Any, *arguments: Any) -> Any:
    """Do the library's work in a thread: the service of the test runs in this one."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await asyncio.to_thread(work, *arguments)


def test_the_adapter_has_fewer_than_100_lines() -> None:
    """Blank lines, comments and docstrings are not counted."""
    source = ADAPTER.read_text("utf-8")
    said: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            ast.get_docstring(node)
        ):
            said.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in {*silent, tokenize.ENDMARKER}
        for line in range(token.start[0], token.end[0] + 1)
    }

    assert 50 < len(code - said) < 100


@pytest.mark.parametrize("test", ["test_insert_select", "optional_test_insert_subscribe"])
async def test_the_recorder_passes_the_librarys_own_tests(application: dict[str, str], test: str) -> None:
    """The library has a test case for who writes a recorder; those of its tests that begin at version 1."""

    class Case(library_persistence.ApplicationRecorderTestCase):
        def create_recorder(self) -> Any:
            return Factory(Environment("Case", application)).application_recorder()

    await _in_thread(getattr(Case(test), test))


async def test_the_librarys_sample_application_works(application: dict[str, str]) -> None:
    """Its bank accounts, with types and a transcoding of their own, from events and from snapshots."""

    def work() -> None:
        with library_application.BankAccounts(application | {"PERSISTENCE_MODULE": SNAPSHOTS}) as app:
            account_id = app.open_account(full_name="Alice", email_address="alice@example.com")
            for amount in ("10.00", "25.00", "30.00"):
                app.credit_account(account_id, Decimal(amount))
            app.take_snapshot(account_id, version=2)
            assert app.get_balance(account_id) == Decimal("65.00")
            app.take_snapshot(account_id)
            assert app.get_balance(account_id) == Decimal("65.00")
            assert app.get_account(account_id).email_address.address == "alice@example.com"
            assert len(app.notification_log["1,10"].items) == 4
            with pytest.raises(app.AccountNotFoundError):
                app.get_account(UUID(int=7))

    await _in_thread(work)


async def test_aggregates_are_created_changed_saved_and_got(
    client: Client, application: dict[str, str]
) -> None:
    """What one application has saved another gets, at any version, and the log has it in readable JSON."""

    def work() -> tuple[UUID, dict[str, str], int]:
        with Vocabularies(application) as app:
            vocabulary_id = app.add_vocabulary("First steps", "cs")
            app.add_word(vocabulary_id, "ahoj", "hello")
            app.add_word(vocabulary_id, "děkuji", "thank you")
        with Vocabularies(application) as app:
            earlier: Vocabulary = app.repository.get(vocabulary_id, version=2)
            assert (earlier.version, earlier.words) == (2, {"ahoj": "hello"})
            latest: Vocabulary = app.repository.get(vocabulary_id)
            return vocabulary_id, latest.words, latest.version

    vocabulary_id, words, version = await _in_thread(work)
    recorded = [event async for event in client.read_all()]

    assert (words, version) == ({"ahoj": "hello", "děkuji": "thank you"}, 3)
    assert {event.aggregate_id for event in recorded} == {str(vocabulary_id)}
    assert {event.aggregate_type for event in recorded} == {"Vocabularies"}
    assert [event.event_version for event in recorded] == [1, 2, 3]
    assert recorded[1].event_type == "examples.eventsourcing_adapter.vocabularies:Vocabulary.WordAdded"
    data = recorded[1].event_data
    assert (data["word"], data["meaning"]) == ("ahoj", "hello")


async def test_a_conflict_is_the_librarys_error_and_stores_nothing(application: dict[str, str]) -> None:
    """A save of two aggregates of which one has been changed meanwhile changes neither."""

    def work() -> None:
        with Vocabularies(application) as app:
            one, other = app.add_vocabulary("One", "cs"), app.add_vocabulary("Other", "cs")
            stale: Vocabulary = app.repository.get(one)
            fresh: Vocabulary = app.repository.get(other)
            app.add_word(one, "ahoj", "hello")
            stale.add("ahoj", "hi")
            fresh.add("pes", "dog")
            with pytest.raises(IntegrityError, match=f"{one} is at version 2, expected 1"):
                app.save(fresh, stale)
            assert (app.words(one), app.words(other)) == ({"ahoj": "hello"}, {})

    await _in_thread(work)


async def test_several_aggregates_are_saved_at_once(application: dict[str, str]) -> None:
    """The recordings have the positions of their events, all or none."""

    def work() -> None:
        with Vocabularies(application) as app:
            one, other = Vocabulary("One", "cs"), Vocabulary("Other", "cs")
            one.add("ahoj", "hello")
            recordings = app.save(one, other)
            assert [each.notification.id for each in recordings] == [1, 2, 3]
            assert app.save() == []
            assert app.recorder.max_notification_id() == 3

    await _in_thread(work)


async def test_an_application_sees_its_own_events_only(application: dict[str, str]) -> None:
    """What another application has appended to the same store is a gap among its notifications."""

    class Other(Vocabularies):
        pass

    def work() -> None:
        with Vocabularies(application) as app, Other(application) as other:
            app.add_vocabulary("One", "cs")
            other.add_vocabulary("Two", "cs")
            app.add_vocabulary("Three", "cs")
            assert [each.id for each in app.notification_log.select(1, 10)] == [1, 3]
            assert [each.id for each in other.notification_log.select(1, 10)] == [2]
            assert other.recorder.max_notification_id() == 2
            with pytest.raises(AggregateNotFoundError):
                app.repository.get(UUID(int=7))

    await _in_thread(work)


async def test_a_follower_gets_what_is_there_and_what_comes(application: dict[str, str]) -> None:
    """And a thread that waits for the next event waits no more when another one stops the subscription."""

    def work() -> None:
        with Vocabularies(application) as app, ThreadPoolExecutor() as threads:
            vocabulary_id = app.add_vocabulary("First steps", "cs")
            with ApplicationSubscription(app, gt=0) as subscription:
                assert next(subscription)[1].notification_id == 1
                coming = threads.submit(next, subscription)
                app.add_word(vocabulary_id, "ahoj", "hello")
                event, tracking = coming.result(PATIENCE_SECONDS)
                assert (type(event).__name__, tracking.notification_id) == ("WordAdded", 2)
                waiting = threads.submit(list, subscription)
                subscription.stop()
                subscription.stop()  # harmless
                assert waiting.result(PATIENCE_SECONDS) == []

    await _in_thread(work)


async def test_a_stopped_subscription_gives_nothing_more(
    application: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even an event that was there before the stop; and asking again is harmless."""

    def begin_and_wait(work: Any) -> Any:
        begun = begin(work)
        wait([begun], PATIENCE_SECONDS)
        return begun

    def work() -> None:
        with Vocabularies(application) as app:
            app.save(Vocabulary("One", "cs"), Vocabulary("Other", "cs"))
            with app.recorder.subscribe(gt=0) as subscription:
                assert next(subscription).id == 1
                subscription.stop()
                with monkeypatch.context() as patched:
                    patched.setattr(adapter, "begin", begin_and_wait)
                    assert list(subscription) == []
                assert list(subscription) == []
                assert list(subscription) == []

    begin = adapter.begin
    await _in_thread(work)


async def test_snapshots_are_taken_and_used(client: Client, application: dict[str, str]) -> None:
    """An aggregate is made from its newest snapshot and the events after it, an older one from its events."""

    class Snapshotting(Vocabularies):
        snapshotting_intervals = {Vocabulary: 2}  # noqa: RUF012 # the library's own way to say it

    def work() -> UUID:
        with Snapshotting(application | {"PERSISTENCE_MODULE": SNAPSHOTS}) as app:
            vocabulary_id = app.add_vocabulary("First steps", "cs")
            for word in ("jedna", "dva", "tři", "čtyři"):
                app.add_word(vocabulary_id, word, word.upper())
            assert app.snapshots is not None
            (snapshot,) = app.snapshots.get(vocabulary_id, desc=True, limit=1)
            assert snapshot.originator_version == 4
            assert list(app.snapshots.get(vocabulary_id, lte=3)) == []
            assert list(app.snapshots.get(vocabulary_id, gt=4)) == []
            latest: Vocabulary = app.repository.get(vocabulary_id)
            earlier: Vocabulary = app.repository.get(vocabulary_id, version=3)
            assert set(latest.words) == {"jedna", "dva", "tři", "čtyři"}
            assert set(earlier.words) == {"jedna", "dva"}
            return vocabulary_id

    kept = await client.get_snapshot(str(await _in_thread(work)))

    assert kept is not None
    assert (kept.event_version, kept.aggregate_type) == (4, "Snapshotting")


async def test_states_that_are_no_json_are_kept_too(client: Client, application: dict[str, str]) -> None:
    """What the library has compressed comes back as it was."""

    def work() -> dict[str, str]:
        compressing = application | {"COMPRESSOR_TOPIC": "eventsourcing.compressor:ZlibCompressor"}
        with Vocabularies(compressing) as app:
            vocabulary_id = app.add_vocabulary("First steps", "cs")
            app.add_word(vocabulary_id, "ahoj", "hello")
            return app.words(vocabulary_id)

    assert await _in_thread(work) == {"ahoj": "hello"}
    assert all([isinstance(event.event_data, str) async for event in client.read_all()])


async def test_what_the_store_refuses_is_the_librarys_error(application: dict[str, str]) -> None:
    """No error of the client reaches an application, and what is not kept here is refused."""

    def work() -> None:
        with Vocabularies(application) as app:
            with pytest.raises(DatabaseError, match="event_data"):
                app.add_vocabulary("\0", "cs")
            with pytest.raises(NotSupportedError):
                app.factory.process_recorder()
        with pytest.raises(DatabaseError, match="invalid target"):
            Vocabularies(application | {"EVENT_STORE_TARGET": "nowhere"})

    await _in_thread(work)


async def test_a_process_ends_though_its_application_was_not_closed(application: dict[str, str]) -> None:
    """The thread behind the adapter keeps no program alive, and says nothing."""
    program = (
        f"from {Vocabularies.__module__} import Vocabularies\n"
        f"app = Vocabularies({application!r})\n"
        "print(app.words(app.add_vocabulary('First steps', 'cs')))\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        said = await process.communicate()

    assert (process.returncode, said) == (0, (b"{}\n", b""))


def test_the_document_shows_the_adapter_as_it_is() -> None:
    """The files of the example stand in docs/howto/eventsourcing.md, whole."""
    document = (ROOT / "docs" / "howto" / "eventsourcing.md").read_text("utf-8")
    for file in ("adapter.py", "vocabularies.py"):
        assert f"```python\n{ADAPTER.with_name(file).read_text('utf-8')}```\n" in document
