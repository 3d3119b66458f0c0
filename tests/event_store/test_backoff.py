"""Waits between attempts grow to a bound, differ, and begin anew after a success."""

from hypothesis import given
from hypothesis import strategies as st

from event_store.backoff import Backoff


@given(st.floats(0.001, 10), st.floats(0.001, 100), st.integers(0, 3000))
def test_each_wait_is_between_half_of_its_bound_and_the_whole(
    first_seconds: float, longest_seconds: float, failures: int
) -> None:
    """The bound doubles with each failure, up to the longest."""
    backoff = Backoff(first_seconds, longest_seconds, failures)
    bound = min(longest_seconds, first_seconds * 2.0 ** min(failures, 1000))

    assert bound / 2 <= backoff.next_seconds() <= bound
    assert backoff._failures == failures + 1


def test_a_success_begins_anew() -> None:
    """The next wait is the first one."""
    backoff = Backoff(1, 1000)
    for _ in range(8):
        backoff.next_seconds()
    backoff.reset()

    assert backoff.next_seconds() <= 1


def test_many_who_failed_together_do_not_return_together() -> None:
    """Their waits are spread over half of the bound."""
    waits = [Backoff(1, 1).next_seconds() for _ in range(200)]

    assert max(waits) - min(waits) > 0.25
