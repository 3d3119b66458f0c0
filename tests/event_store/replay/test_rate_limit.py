"""A replay's rate holds in each window of time, and its mark never passes what is not settled."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from event_store.replay.progress import ReplayMark
from event_store.replay.rate_limit import _SLACK_SECONDS, RateLimit


async def test_in_each_window_of_time_no_more_events_pass_than_its_rate_allows() -> None:
    """Also after a rest: what was not used is not saved up."""
    rate_limit, clock = RateLimit(50), asyncio.get_running_loop().time
    times = []
    for number in range(20):
        if number == 10:
            await asyncio.sleep(0.3)
        await rate_limit.take()
        times.append(clock())

    for first, began in enumerate(times):
        for last in range(first, 20):
            assert last - first <= (times[last] - began + _SLACK_SECONDS) * 50 + 1


async def test_a_rate_of_0_is_no_limit() -> None:
    """Nothing waits."""
    rate_limit, clock = RateLimit(0), asyncio.get_running_loop().time
    started = clock()
    for _ in range(1000):
        await rate_limit.take()

    assert clock() - started < 5


@given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=20), st.integers(0, 50), st.randoms())
def test_the_mark_of_a_replay_is_the_lowest_settled_position(
    events: list[tuple[int, bool]], start: int, random: Any
) -> None:
    """In whatever order events settle; each counts once, when the mark passes it."""
    mark = ReplayMark("topic", start, 7, 3)
    open_ = []
    position = start
    for step, is_parked in events:
        position += step
        open_.append((mark.begin(position), is_parked))
    mark.pass_over(position + 2)
    assert mark.last_position == position + 2
    settled: list[tuple[int, bool]] = []
    random.shuffle(open_)
    while open_:
        least = min(publication.position for publication, _ in open_)
        passed = [is_parked for at, is_parked in settled if at < least]
        assert mark.position == least - 1
        assert (mark.published_events, mark.parked_events) == (
            7 + passed.count(False),
            3 + passed.count(True),
        )
        publication, is_parked = open_.pop()
        if is_parked:
            mark.park(publication)
        mark.settle(publication)
        settled.append((publication.position, is_parked))

    assert (mark.position, mark.ahead) == (position + 2, 0)
    assert mark.published_events + mark.parked_events == 10 + len(events)
