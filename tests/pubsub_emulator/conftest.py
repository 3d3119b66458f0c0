"""One suite for every Pub/Sub: the embedded one, Google's official emulator, and any address.

`PUBSUB_TEST_ADDRESS=HOST:PORT` runs it against what listens there, in the project `test`.

What Google does not promise, and ours does, is asked by tests whose names begin with `test_ours_`.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest

from local_gcp.errors import SetupError
from local_gcp.pubsub_api.google_emulator import OfficialEmulator, find_jar, find_java, version_of
from pubsub_emulator import ManualClock, PubSubServer
from tests.conftest import ADDRESS_VARIABLE
from tests.pubsub_emulator.bus import Bus, bus_at

KNOWN_VERSION: Final = "0.8.20"  # of the emulator whose differences these are


@dataclass(frozen=True)
class Difference:
    """Why the official emulator of `KNOWN_VERSION` cannot pass a test.

    Attributes:
        reason: What it does instead.
        run: Whether to run the test, which then must fail, or to leave it out because failing is slow.
    """

    reason: str
    run: bool = True


_ALIVE = "does not know the protocol's versions"
_ENDED = "keeps the leases of a stream that ended until their deadlines"
_FILTER = "stores every filter, checks none and applies none"
_FLOW = "ignores the flow control of a stream"
_LAST = "delivers a nacked message last"
_LIMIT = "does not check this limit"
_LOST = "loses the dead letter of an ordered subscription, and its key stops"
_MASK = "does not know the field"
_MISSING = "does not have the method"
_RETRY = "makes the first redelivery of a retry policy at once"
_SEEK = "cannot seek an ordered subscription"
DIFFERENCES: Final = {
    "test_a_binding_without_members_is_dropped": Difference(_MISSING),
    "test_a_condition_needs_version_3": Difference(_MISSING),
    "test_a_definition_has_at_most_300_kilobytes": Difference(_LIMIT),
    "test_a_mask_names_a_field_of_a_field": Difference(_MASK),
    "test_a_project_is_named_as_one": Difference("fails with UNKNOWN on a malformed project"),
    "test_a_push_subscription_tells_the_version_of_what_it_pushes": Difference("tells no version"),
    "test_a_range_whose_ends_are_deleted_keeps_what_is_between": Difference(
        "does not change a topic once an end of its range is deleted"
    ),
    "test_a_schema_has_at_most_20_revisions": Difference("lets a rollback make one revision more"),
    "test_a_subscription_is_created_within_googles_limits": Difference(_LIMIT, run=False),
    "test_a_subscription_is_updated_within_googles_limits": Difference(_LIMIT, run=False),
    "test_a_topic_is_created_within_googles_limits": Difference(_LIMIT, run=False),
    "test_a_topic_is_updated_within_googles_limits": Difference(_MASK, run=False),
    "test_a_topic_without_its_schema_takes_nothing": Difference(_MASK),
    "test_a_view_shows_the_definition_or_not": Difference("lists definitions, whatever view is asked for"),
    "test_an_acknowledgement_has_at_most_512_kib": Difference(_LIMIT),
    "test_protocol_buffers_are_held_to_on_publish": Difference("has no Protocol Buffers"),
    "test_revisions_are_listed_newest_first_in_pages": Difference("lists the oldest revision first"),
    "test_a_deadline_moves_by_0_to_600_seconds[601]": Difference(_LIMIT),
    "test_a_detached_subscription_is_empty_and_serves_nobody": Difference(_MISSING),
    "test_a_filter_that_is_none_is_refused": Difference(_FILTER),
    "test_a_full_stream_leaves_the_rest_to_another": Difference(_FLOW, run=False),
    "test_a_malformed_member_is_refused": Difference(_MISSING),
    "test_a_member_of_each_form_is_kept": Difference(_MISSING),
    "test_a_message_that_went_back_with_another_cannot_be_acknowledged_by_its_old_id": Difference(_LAST),
    "test_a_nacked_message_of_an_ordered_subscription_is_dead_lettered_and_its_next_follows": Difference(
        _LOST
    ),
    "test_a_name_of_the_wrong_form_is_refused": Difference("checks the form of few names", run=False),
    "test_a_new_subscription_can_seek_into_its_topics_past": Difference(
        "delivers what the topic retains to a new subscription at once"
    ),
    "test_a_policy_goes_with_its_resource": Difference(_MISSING),
    "test_a_publish_request_beyond_a_limit_of_size_is_refused_whole": Difference(_LIMIT),
    "test_a_publish_request_beyond_a_limit_of_size_is_refused_whole[12 MB]": Difference(_LIMIT, run=False),
    "test_a_push_tells_its_attempt_where_there_is_a_dead_letter_policy": Difference("tells no attempts"),
    "test_a_push_tells_its_ordering_key": Difference("tells no ordering key"),
    "test_a_refused_message_comes_again_before_anything_after_it": Difference(_LAST),
    "test_a_retry_delay_holds_back_its_key_and_no_other": Difference(_RETRY),
    "test_a_retry_policy_delays_the_first_redelivery": Difference(_RETRY),
    "test_a_role_is_one_that_pubsub_knows": Difference(_MISSING),
    "test_a_seek_back_keeps_to_the_filter": Difference(_FILTER),
    "test_a_snapshot_changes_its_labels": Difference(_MISSING),
    "test_a_snapshot_without_a_name_is_named_by_the_server": Difference("takes none without a name"),
    "test_a_stream_confirms_each_acknowledgement": Difference("confirms nothing", run=False),
    "test_a_stream_gets_no_more_messages_than_it_can_hold": Difference(_FLOW),
    "test_a_stream_sets_flow_control_only_at_its_beginning": Difference(_LIMIT, run=False),
    "test_a_stream_sets_its_protocol_only_at_its_beginning": Difference(_ALIVE, run=False),
    "test_a_stream_that_waits_is_alive": Difference(_ALIVE, run=False),
    "test_a_subscription_changes_what_the_mask_names[expiration_policy]": Difference(_MASK),
    "test_a_subscription_changes_what_the_mask_names[labels]": Difference(_MASK),
    "test_a_subscription_gets_googles_defaults": Difference("leaves out the expiration policy"),
    "test_a_subscription_gets_what_matches_its_filter": Difference(_FILTER),
    "test_a_subscription_setting_out_of_its_range_is_refused[a label in capitals]": Difference(_LIMIT),
    "test_a_subscription_setting_out_of_its_range_is_refused[ack deadline of 9 s]": Difference(_LIMIT),
    "test_a_subscription_setting_out_of_its_range_is_refused[exactly-once push]": Difference(_LIMIT),
    "test_a_subscription_setting_out_of_its_range_is_refused[expiration within a day]": Difference(_LIMIT),
    "test_a_topic_changes_what_the_mask_names": Difference(_MASK),
    "test_an_acknowledgement_after_the_streams_end_does_not_break_the_order": Difference(_ENDED, run=False),
    "test_an_acknowledgement_after_the_streams_end_waits_for_what_is_out": Difference(_ENDED, run=False),
    "test_an_acknowledgement_counts_by_the_latest_id_alone": Difference(_ENDED, run=False),
    "test_an_ordered_subscription_seeks_forward_and_goes_on": Difference(_SEEK),
    "test_iam_policies_are_kept_and_guarded_by_their_etag": Difference(_MISSING),
    "test_order_holds_among_what_matches": Difference(_FILTER),
    "test_ours_a_message_is_delivered_exactly_as_often_as_its_policy_says": Difference(_LOST, run=False),
    "test_ours_a_message_that_failed_comes_again_alone": Difference(_LAST),
    "test_ours_a_stream_gets_no_more_bytes_than_it_can_hold": Difference(_FLOW),
    "test_ours_a_stream_that_ended_leaves_its_messages_to_another": Difference(_ENDED, run=False),
    "test_ours_a_stream_that_nobody_reads_holds_nothing_once_it_is_closed": Difference(_ENDED, run=False),
    "test_ours_a_stream_that_refuses_one_message_goes_on_with_its_key": Difference(_LOST, run=False),
    "test_ours_what_a_stream_held_goes_back_when_it_ends": Difference(_ENDED, run=False),
    "test_permissions_are_tested_by_their_names": Difference(_MISSING),
    "test_retained_messages_come_again_after_a_seek_back[True]": Difference(_SEEK),
    "test_the_canary_sees_that_a_key_goes_on": Difference(_LOST, run=False),
    "test_what_does_not_exist_has_no_policy": Difference(_MISSING),
    "test_what_follows_a_redelivered_message_is_redelivered_though_acknowledged": Difference(
        "redelivers what was refused and no more"
    ),
}


def difference_of(item: pytest.Item) -> Difference | None:
    """What keeps the official emulator from passing a test."""
    name = item.name.replace("[emulator-", "[").removesuffix("[emulator]")
    return DIFFERENCES.get(name) or DIFFERENCES.get(getattr(item, "originalname", ""))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect of each server what is known of it.

    The known version of the emulator must differ where it is said to. Of another version nothing is known for
    sure: how it differs is reported, see `pytest_terminal_summary`. A server at an address is held to all but
    what is ours.
    """
    version = _emulator_version()
    for item in items:
        callspec = getattr(item, "callspec", None)
        server = callspec and callspec.params.get("server_address")
        if server == "emulator":
            _expect(item, is_known=version == KNOWN_VERSION)
        elif server == "address" and item.name.startswith("test_ours_"):
            item.add_marker(pytest.mark.xfail(reason="Google does not promise it", strict=False))


def _expect(item: pytest.Item, *, is_known: bool) -> None:
    difference = difference_of(item)
    if difference is not None and not difference.run:
        item.add_marker(pytest.mark.skip(reason=difference.reason))
    elif difference is not None:
        item.add_marker(pytest.mark.xfail(reason=difference.reason, strict=is_known))
    elif not is_known:
        item.add_marker(pytest.mark.xfail(reason=_NEW, strict=False))


_NEW: Final = f"not a difference of the emulator {KNOWN_VERSION}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how an emulator of another version differs from the known one."""
    version = _emulator_version()
    if version in ("", KNOWN_VERSION):
        return
    stats = terminalreporter.stats
    better = [report.nodeid for report in stats.get("xpassed", ()) if report.wasxfail != _NEW]
    worse = [report.nodeid for report in stats.get("xfailed", ()) if report.wasxfail == _NEW]
    terminalreporter.section(f"Google's Pub/Sub emulator {version}, beside {KNOWN_VERSION}")
    for says, nodes in (("passes now", better), ("fails now", worse)):
        for node in nodes:
            terminalreporter.write_line(f"{says}: {node}")
    terminalreporter.write_line(
        "Bring DIFFERENCES and KNOWN_VERSION in tests/pubsub_emulator/conftest.py, and ADR 7, up to it."
    )


def _emulator_version() -> str:
    """The version of the installed emulator; "" if there is none."""
    try:
        return version_of(find_jar())
    except SetupError:
        return ""


@pytest.fixture(
    scope="session", params=["address"] if os.environ.get(ADDRESS_VARIABLE) else ["embedded", "emulator"]
)
async def server_address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """The address of each server in turn."""
    if request.param == "address":
        yield os.environ[ADDRESS_VARIABLE]
        return
    if request.param == "embedded":
        async with PubSubServer(exports=tmp_path_factory.mktemp("exports")) as server:
            yield server.address
        return
    try:
        find_java()
        find_jar()
    except SetupError as missing:
        pytest.skip(str(missing))
    async with OfficialEmulator() as emulator:
        yield emulator.address


@pytest.fixture(scope="session")
async def bus(server_address: str) -> AsyncIterator[Bus]:
    """Each server in turn, shared by all tests."""
    async with bus_at(server_address) as bus:
        yield bus


@pytest.fixture
def clock() -> ManualClock:
    """A clock that a test moves."""
    return ManualClock(now=1_800_000_000)


@pytest.fixture
async def timed_bus(clock: ManualClock) -> AsyncIterator[Bus]:
    """An embedded server of a test's own that follows `clock`."""
    async with PubSubServer(clock=clock) as server, bus_at(server.address) as bus:
        yield bus
