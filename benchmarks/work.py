"""A work and its limit, and their ratio over some rounds."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

_SEVERAL: Final = 10  # a second; fewer are shown with decimals


@dataclass(frozen=True, slots=True)
class Work:
    """A work and what it is measured against; `run` and `limit` do a slice and return how often a second.

    Attributes:
        name: The work.
        against: Its limit, or a peer.
        goal: The ratio that we aim at.
        at_least: The ratio that a change may not fall below.
        run: Does the work.
        limit: Does the other one's.
        slices: How many of each make a round.
        missing: What is not installed here, so that the work cannot run; empty if nothing is.
    """

    name: str
    against: str
    goal: float
    at_least: float
    run: Callable[[], float]
    limit: Callable[[], float]
    slices: int = 3
    missing: str = ""


def measure(works: Sequence[Work], rounds: int) -> Iterator[tuple[Work, list[float]]]:
    """Yield each work with its ratio in each round, after one round to warm up."""
    ratios: dict[str, list[float]] = {_key(work): [] for work in works}
    for number in range(rounds + 1):
        for work in works:
            slices = [(work.limit(), work.run()) for _ in range(work.slices)]
            limit, run = (statistics.median(side) for side in zip(*slices, strict=True))
            name = f"round {number}" if number else "warm-up"
            print(
                f"{name:8} {work.name:34} {_rate(run)}/s  {work.against:38} {_rate(limit)}/s  "
                f"{run / limit:6.2f}",
                flush=True,
            )
            if number:
                ratios[_key(work)].append(run / limit)
    for work in works:
        yield work, ratios[_key(work)]


def result(work: Work, ratios: Sequence[float]) -> dict[str, Any]:
    """Return what is written down of a work."""
    low, middle, high = (round(each, 3) for each in (min(ratios), statistics.median(ratios), max(ratios)))
    return {
        "work": work.name,
        "against": work.against,
        "ratio": {"min": low, "median": middle, "max": high},
        "goal": work.goal,
        "at_least": work.at_least,
        "higher_is_better": True,
    }


def table(results: Sequence[dict[str, Any]]) -> str:
    """Return the results for a reader."""
    lines = [f"{'work':34} {'against':38}    min  median     max    goal  at least"]
    for each in results:
        ratio = each["ratio"]
        lines.append(
            f"{each['work']:34} {each['against']:38} {ratio['min']:6.2f}  {ratio['median']:6.2f}  "
            f"{ratio['max']:6.2f}  {each['goal']:6.2f}    {each['at_least']:6.2f}"
        )
    return "\n".join(lines)


def _rate(per_second: float) -> str:
    return f"{per_second:8.0f}" if per_second >= _SEVERAL else f"{per_second:8.2f}"


def _key(work: Work) -> str:
    return f"{work.name} {work.against}"
