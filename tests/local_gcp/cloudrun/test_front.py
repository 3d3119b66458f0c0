"""The front moves clients from one revision to the next without cutting a frame in two."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from local_gcp.container.http2_goaway import GOAWAY, Frames

FRAMES = [length.to_bytes(3) + bytes([0, 0, 0, 0, 0, 1]) + b"x" * length for length in (0, 1, 300, 9, 70_000)]


@given(cuts=st.lists(st.integers(0, sum(map(len, FRAMES))), max_size=8), goodbye=st.integers(0, 9))
def test_a_goodbye_goes_between_two_frames(cuts: list[int], goodbye: int) -> None:
    """However bytes arrive, whenever it is said, the client gets every byte, and it after a whole frame."""
    data = b"".join(FRAMES)
    places = [0, *sorted(cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(places)]
    frames, got = Frames(), b""
    for number, chunk in enumerate(chunks):
        if number == goodbye:
            got += frames.say_goodbye()
        got += frames.feed(chunk)
    if goodbye >= len(chunks):
        got += frames.say_goodbye()

    before, said, after = got.partition(GOAWAY)
    ends = [len(b"".join(FRAMES[: count + 1])) for count in range(len(FRAMES))]
    assert said
    assert before + after == data
    assert len(before) in ends
