"""One suite for two servers, the embedded Pub/Sub and Google's official emulator, and their differences."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest

from event_store.errors import ConfigurationError
from local.emulator import Emulator, find_jar, find_java
from local.pubsub import ManualClock, PubSubServer
from tests.pubsub.bus import Bus, bus_at


@dataclass(frozen=True)
class Difference:
    """Why the official emulator (0.8.20) cannot pass a test.

    Attributes:
        reason: What it does instead.
        run: Whether to run the test, which then must fail, or to leave it out because failing is slow.
    """

    reason: str
    run: bool = True


_FILTER = "stores every filter, checks none and applies none"
_FLOW = "ignores the flow control of a stream"
_LIMIT = "does not check this limit"
_LOST = "loses the dead letter of an ordered subscription, and its key stops"
_MASK = "does not know the field"
_MISSING = "does not have the method"
_RETRY = "makes the first redelivery of a retry policy at once"
_SEEK = "cannot seek an ordered subscription"
DIFFERENCES: Final = {
    "test_a_deadline_moves_by_0_to_600_seconds[601]": Difference(_LIMIT),
    "test_a_detached_subscription_is_empty_and_serves_nobody": Difference(_MISSING),
    "test_a_filter_that_is_none_is_refused": Difference(_FILTER),
    "test_a_full_stream_leaves_the_rest_to_another": Difference(_FLOW, run=False),
    "test_a_nacked_message_of_an_ordered_subscription_is_dead_lettered_and_its_next_follows": Difference(
        _LOST
    ),
    "test_a_new_subscription_can_seek_into_its_topics_past": Difference(
        "delivers what the topic retains to a new subscription at once"
    ),
    "test_a_publish_request_beyond_a_limit_of_size_is_refused_whole": Difference(_LIMIT),
    "test_a_publish_request_beyond_a_limit_of_size_is_refused_whole[12 MB]": Difference(_LIMIT, run=False),
    "test_a_push_tells_its_attempt_where_there_is_a_dead_letter_policy": Difference("tells no attempts"),
    "test_a_push_tells_its_ordering_key": Difference("tells no ordering key"),
    "test_a_refused_message_comes_again_before_anything_after_it": Difference(
        "delivers a nacked message last"
    ),
    "test_a_retry_delay_holds_back_its_key_and_no_other": Difference(_RETRY),
    "test_a_retry_policy_delays_the_first_redelivery": Difference(_RETRY),
    "test_a_seek_back_keeps_to_the_filter": Difference(_FILTER),
    "test_a_snapshot_changes_its_labels": Difference(_MISSING),
    "test_a_stream_confirms_each_acknowledgement": Difference("confirms nothing", run=False),
    "test_a_stream_gets_no_more_bytes_than_it_can_hold": Difference(_FLOW),
    "test_a_stream_gets_no_more_messages_than_it_can_hold": Difference(_FLOW),
    "test_a_stream_sets_flow_control_only_at_its_beginning": Difference(_LIMIT, run=False),
    "test_a_stream_that_refuses_one_message_goes_on_with_its_key": Difference(_LOST, run=False),
    "test_a_subscription_changes_what_the_mask_names[expiration_policy]": Difference(_MASK),
    "test_a_subscription_changes_what_the_mask_names[labels]": Difference(_MASK),
    "test_a_subscription_gets_googles_defaults": Difference("leaves out the expiration policy"),
    "test_a_subscription_gets_what_matches_its_filter": Difference(_FILTER),
    "test_a_subscription_setting_out_of_its_range_is_refused[a label in capitals]": Difference(_LIMIT),
    "test_a_subscription_setting_out_of_its_range_is_refused[ack deadline of 9 s]": Difference(_LIMIT),
    "test_a_subscription_setting_out_of_its_range_is_refused[exactly-once push]": Difference(_LIMIT),
    "test_a_subscription_setting_out_of_its_range_is_refused[expiration within a day]": Difference(_LIMIT),
    "test_a_topic_changes_what_the_mask_names": Difference(_MASK),
    "test_an_ordered_subscription_seeks_forward_and_goes_on": Difference(_SEEK),
    "test_iam_policies_are_kept_and_guarded_by_their_etag": Difference(_MISSING),
    "test_order_holds_among_what_matches": Difference(_FILTER),
    "test_retained_messages_come_again_after_a_seek_back[True]": Difference(_SEEK),
    "test_what_follows_a_redelivered_message_is_redelivered_though_acknowledged": Difference(
        "redelivers what was refused and no more"
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect of the emulator what is known of it."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is None or callspec.params.get("server_address") != "emulator":
            continue
        name = item.name.replace("[emulator-", "[").removesuffix("[emulator]")
        difference = DIFFERENCES.get(name) or DIFFERENCES.get(getattr(item, "originalname", ""))
        if difference is None:
            continue
        if difference.run:
            item.add_marker(pytest.mark.xfail(reason=difference.reason, strict=True))
        else:
            item.add_marker(pytest.mark.skip(reason=difference.reason))


@pytest.fixture(scope="session", params=["embedded", "emulator"])
async def server_address(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The address of each server in turn."""
    if request.param == "embedded":
        async with PubSubServer() as server:
            yield server.address
        return
    try:
        find_java()
        find_jar()
    except ConfigurationError as missing:
        pytest.skip(str(missing))
    async with Emulator() as emulator:
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
