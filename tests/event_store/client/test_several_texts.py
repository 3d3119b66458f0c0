"""An argument that takes several texts refuses one, which would be taken as its letters."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from event_store.consumer.dead_letters import DeadLetters
from event_store.consumer.projection import Projection
from event_store.errors import InvalidArgumentError
from event_store.model.event_filter import EventFilter
from event_store.topology import Subscription

TAKERS: Final[dict[str, Callable[[Any], object]]] = {
    "aggregate_types": lambda given: Projection(
        "p",
        None,  # type: ignore[arg-type] # never used
        None,  # type: ignore[arg-type] # the same
        None,  # type: ignore[arg-type] # the same
        aggregate_types=given,
    ),
    "filter.aggregate_types": lambda given: EventFilter(aggregate_types=given),
    "filter.event_types": lambda given: EventFilter(event_types=given),
}


@pytest.mark.parametrize("field", TAKERS)
@pytest.mark.parametrize("given", ["Vocabulary", "", b"Vocabulary", 5, None, ["Vocabulary", 5], [b"x"]])
def test_what_is_not_several_texts_is_refused(field: str, given: Any) -> None:
    """Nothing is filtered by the letters of a type."""
    with pytest.raises(InvalidArgumentError, match=rf"^{field}"):
        TAKERS[field](given)


@pytest.mark.parametrize("field", TAKERS)
def test_several_texts_are_taken_in_any_collection(field: str) -> None:
    """A tuple, a list, a set or none at all."""
    for given in (("A", "B"), ["A"], {"A"}, ()):
        TAKERS[field](given)
    assert EventFilter(event_types=["A"]) == EventFilter(event_types=("A",))  # type: ignore[arg-type] # taken


@pytest.mark.parametrize("call", ["peek", "purge", "redrive"])
async def test_dead_letters_are_not_chosen_by_the_letters_of_an_id(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One id where several are taken throws nothing away."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")

    async def call_it() -> None:
        async with DeadLetters(Subscription(name="s", topic="t"), "project") as letters:
            if call == "redrive":
                _ = [letter async for letter in letters.redrive("0198c2a4")]
            else:
                await getattr(letters, call)("0198c2a4")

    with pytest.raises(InvalidArgumentError, match=r"^event_ids: .* use a list of strings"):
        await call_it()
