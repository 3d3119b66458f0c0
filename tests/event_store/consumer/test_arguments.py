"""A consumer or projection with a number that makes no sense is refused as it is made, not when it hangs."""

import math
from typing import Any

import pytest

from event_store.consumer.consumer import Consumer
from event_store.consumer.projection import Projection
from event_store.errors import InvalidArgumentError

NOBODY: Any = None  # never asked


@pytest.mark.parametrize("concurrency", [0, -1, 1001, 1.5, True, "4", None])
def test_a_consumer_of_no_concurrency_is_refused(concurrency: Any) -> None:
    """With 0 it would take messages and handle none."""
    with pytest.raises(InvalidArgumentError, match=r"concurrency: invalid value .* from 1 to 1000"):
        Consumer("projects/p/subscriptions/s", NOBODY, concurrency=concurrency)


@pytest.mark.parametrize(
    "given",
    [
        {"timeout_seconds": 0},
        {"timeout_seconds": -1},
        {"timeout_seconds": math.nan},
        {"timeout_seconds": math.inf},
        {"timeout_seconds": True},
        {"max_delivery_attempts": 0},
        {"max_delivery_attempts": 101},
        {"max_delivery_attempts": 5.0},
    ],
    ids=str,
)
def test_a_projection_with_a_number_out_of_range_is_refused(given: dict[str, Any]) -> None:
    """A handler without time refuses every event, and one without an end holds its aggregate forever."""
    with pytest.raises(InvalidArgumentError, match=next(iter(given))):
        Projection("words", NOBODY, NOBODY, NOBODY, **given)
