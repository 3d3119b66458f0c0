"""The watermark never passes what is not settled, in whatever order that settles."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from event_store.outbox.watermark import Publication, Watermark


@given(
    st.lists(st.sets(st.sampled_from("abc")), max_size=30),
    st.integers(98, 112),
    st.integers(98, 112),
    st.randoms(),
)
def test_the_watermark_is_the_lowest_contiguous_settled_position(
    events: list[set[str]], before_a: int, before_b: int, random: Any
) -> None:
    """In whatever order messages settle, it never passes one that has not, of a topic or of all of them."""
    before = {"a": before_a, "b": before_b, "gone": 105}
    watermark = Watermark(100, "abc", before)
    pending: list[Publication] = []
    for number, topics in enumerate(events, 101):
        watermark.advance()
        begun = {topic: watermark.begin(topic) for topic in sorted(topics)}
        assert [topic for topic, each in begun.items() if each is None] == [
            topic for topic in sorted(topics) if number <= before.get(topic, 0)
        ]
        pending += [each for each in begun.values() if each is not None]
    last = watermark.last_position
    assert last == 100 + len(events)
    assert all(
        (each.topic, each.position) in {(t, n) for n, s in enumerate(events, 101) for t in s}
        for each in pending
    )
    random.shuffle(pending)
    while pending:
        unsettled = {t: [each.position for each in pending if each.topic == t] for t in "abc"}
        expected = {
            t: min(positions) - 1 if positions else max(last, before.get(t, 0))
            for t, positions in unsettled.items()
        }
        assert {t: watermark.topic_position(t) for t in "abc"} == expected
        assert watermark.position == min(*expected.values(), last)
        assert watermark.ahead == last - watermark.position
        assert watermark.topics_ahead() == {t: p for t, p in expected.items() if p > watermark.position}
        watermark.settle(pending.pop())

    assert watermark.position == last
