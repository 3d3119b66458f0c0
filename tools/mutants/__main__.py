"""Run the mutants that a change touched, and print those that no test detected.

Exits with 1 if a mutant survived that is not marked as accepted, or if its tests fail without it.
"""

import argparse
import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tools import ROOT, ToolError
from tools.mutants.mutant import LIST, Mutant, load, parse, without_covered
from tools.mutants.tree import Ending, Tree

_BASE: Final = "origin/main"
_LIMIT_SECONDS: Final = 300.0
_WITHOUT_MUTANT: Final = 6  # times the limit, for all of a folder's tests without a mutant


def touched(root: Path, mutants: Sequence[Mutant], base: str) -> list[Mutant]:
    """Return the mutants whose file, tests or entry changed since the merge base with `base`.

    Raises:
        ToolError: The base is unknown to Git.
    """
    fork = _git(root, "merge-base", base, "HEAD").strip()
    changed = set(_git(root, "diff", "--name-only", fork).splitlines())
    changed.update(_git(root, "ls-files", "--others", "--exclude-standard").splitlines())
    lists = _git(root, "ls-tree", "--name-only", fork, f"{LIST}/").splitlines()
    before = set(parse({Path(name).stem: _git(root, "show", f"{fork}:{name}") for name in lists}))
    return [
        mutant
        for mutant in mutants
        if mutant not in before
        or mutant.file in changed
        or not changed.isdisjoint(test.partition("::")[0] for test in mutant.tests)
    ]


class Session:
    """Run mutants in copies of a tree, and count the results.

    Args:
        root: The tree.
        jobs: Number of parallel mutants, each in its own copy.
        limit_seconds: Time limit for the tests of one mutant.
    """

    def __init__(self, root: Path, jobs: int, limit_seconds: float) -> None:
        self._root = root
        self._jobs = jobs
        self._limit_seconds = limit_seconds
        self._score: dict[str, list[Mutant]] = defaultdict(list)
        self._failing: set[str] = set()
        self._done = 0

    async def run(self, mutants: Sequence[Mutant]) -> bool:
        """Run all tests without a mutant, then those of each mutant; return whether no mutant survived.

        Raises:
            ToolError: An entry is stale, or the tests cannot be run.
        """
        if faults := [fault for mutant in mutants for fault in mutant.faults(self._root)]:
            raise ToolError("\n".join(faults))
        started = time.monotonic()
        folders: dict[Path, set[str]] = defaultdict(set)
        for test in without_covered(test for mutant in mutants for test in mutant.tests):
            folders[Path(test.partition("::")[0]).parent].add(test)
        async with self._copies() as copies:
            await _share(copies, [self._without(sorted(tests)) for tests in folders.values()])
            await _share(copies, [self._with(mutant, len(mutants)) for mutant in mutants])
        self._report(len(mutants), time.monotonic() - started)
        return not (self._score["survived"] or self._score["unknown"])

    @asynccontextmanager
    async def _copies(self) -> AsyncIterator[list[Tree]]:
        with tempfile.TemporaryDirectory(prefix="event-store-mutants-", ignore_cleanup_errors=True) as folder:
            copies = [Tree(self._root, Path(folder) / str(number)) for number in range(self._jobs)]
            copies[0].check_imports()
            yield copies

    def _without(self, tests: Sequence[str]) -> "_Job":
        async def run(tree: Tree) -> None:
            found = await tree.run(tests, self._limit_seconds * _WITHOUT_MUTANT, to_first=False)
            print(
                f"{'without a mutant':17} {found.verdict.value}  {found.seconds:.0f} s  {' '.join(tests)}",
                flush=True,
            )
            if found.verdict is not Ending.PASSED:
                print(found.output, flush=True)
                self._failing.update(found.failed or tests)

        return run

    def _with(self, mutant: Mutant, count: int) -> "_Job":
        async def run(tree: Tree) -> None:
            if failing := self._failing_of(mutant):
                self._note("unknown", mutant, count, f"fails without it: {failing}")
                return
            with tree.changed(mutant):
                found = await tree.run(mutant.tests, self._limit_seconds, to_first=True)
            if found.verdict is Ending.PASSED:
                self._note(
                    "accepted" if mutant.accepted else "survived", mutant, count, f"{found.seconds:.0f} s"
                )
            else:
                by = " ".join(found.failed[:1]) or found.verdict.value
                self._note("noticed", mutant, count, f"{found.seconds:.0f} s  {by}")

        return run

    def _failing_of(self, mutant: Mutant) -> str:
        for failing in sorted(self._failing):
            for test in mutant.tests:
                if failing == test or failing.startswith((f"{test}::", f"{test}[", f"{test}/")):
                    return failing
        return ""

    def _note(self, verdict: str, mutant: Mutant, count: int, remark: str) -> None:
        self._done += 1
        self._score[verdict].append(mutant)
        number = f"{self._done}/{count}"
        shown = verdict.upper() if verdict in {"survived", "unknown"} else verdict
        print(f"{number:8} {shown:8} {mutant.area}/{mutant.name}  {remark}", flush=True)

    def _report(self, count: int, seconds: float) -> None:
        for verdict in ("accepted", "unknown", "survived"):
            for mutant in self._score[verdict]:
                print(f"\n{verdict}: {mutant.area}/{mutant.name}\n  {mutant.file}: {mutant.why}")
                print(f"  accepted: {mutant.accepted}" if mutant.accepted else f"  {' '.join(mutant.tests)}")
        for mutant in self._score["noticed"]:
            if mutant.accepted:
                print(f"\n{mutant.area}/{mutant.name} is noticed now: delete its `accepted`")
        score = ", ".join(f"{len(found)} {verdict}" for verdict, found in self._score.items() if found)
        print(f"\n{count} mutants in {seconds / 60:.1f} min: {score}", flush=True)


_Job = Callable[[Tree], Coroutine[Any, Any, None]]


async def _share(copies: Sequence[Tree], jobs: Sequence[_Job]) -> None:
    """Run each job once, in the first free copy."""
    waiting = iter(jobs)

    async def work(tree: Tree) -> None:
        for job in waiting:
            await job(tree)

    try:
        async with asyncio.TaskGroup() as tasks:
            for tree in copies:
                tasks.create_task(work(tree))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None  # the one that ended the others


def _git(root: Path, *arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ToolError(
            f"git {' '.join(arguments)}: {answer.stderr.strip()}. Give another base with --since."
        )
    return answer.stdout


def _chosen(root: Path, options: argparse.Namespace) -> list[Mutant]:
    mutants = load(root)
    if options.only:
        known = {name for mutant in mutants for name in (mutant.area, mutant.name)}
        if unknown := sorted(set(options.only) - known):
            raise ToolError(f"no area or mutant in {LIST} has the name {', '.join(unknown)}")
        return [mutant for mutant in mutants if {mutant.area, mutant.name}.intersection(options.only)]
    return mutants if options.all else touched(root, mutants, options.since)


async def _run(session: Session, mutants: Sequence[Mutant]) -> bool:
    task = asyncio.current_task()
    if task is not None:  # when ended by a signal, it still ends its tests and deletes its copies
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await session.run(mutants)


def main(root: Path = ROOT) -> int:
    """Choose mutants and run them."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--since", metavar="REF", default=_BASE, help="those touched since REF (%(default)s)")
    which.add_argument("--all", action="store_true", help="the whole list")
    which.add_argument("--only", metavar="NAME", action="append", help="one mutant or area; repeatable")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many at a time (%(default)s)")
    parser.add_argument(
        "--limit-seconds",
        type=float,
        default=_LIMIT_SECONDS,
        help="for the tests of one mutant (%(default)g)",
    )
    options = parser.parse_args()
    try:
        mutants = _chosen(root, options)
        if not mutants:
            print(f"no mutant of the list is touched since {options.since}; --all makes every one")
            return 0
        session = Session(root, max(1, options.jobs), options.limit_seconds)
        return 0 if asyncio.run(_run(session, mutants)) else 1
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("interrupted; the copies are deleted", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
