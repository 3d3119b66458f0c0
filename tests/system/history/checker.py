"""Says of a history whether a store that does one thing after the other could have given its answers.

The final log is the order of the appends, so nothing has to be searched: each stored request has its place.
An answer is right if it is the model's at some length that the log can have had between the invocation and
the response, see `places.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.system.history.history import (
    Append,
    BrokenHistoryError,
    Followed,
    Found,
    GetSnapshot,
    History,
    Kept,
    LoadAggregate,
    Marked,
    Operation,
    ReadAggregate,
    ReadAll,
    Refused,
    SaveSnapshot,
    Stored,
    StoredEvent,
    Subscribe,
    Unknown,
)
from tests.system.history.model import Log, StoreState, passes
from tests.system.history.places import Places, stored_next
from tests.system.history.snapshots import snapshot_faults


def check(history: History) -> None:
    """Check a history.

    Raises:
        BrokenHistoryError: No store that keeps its promises gives it; its note is the whole history.
    """
    try:
        _check(history)
    except BrokenHistoryError as error:
        error.add_note(str(history))
        raise


def _check(history: History) -> None:
    _check_log(history.log)
    log = Log(history.log)
    places = Places(history.operations, log)
    for each in history.operations:
        if fault := _fault(each, log, places):
            raise BrokenHistoryError(f"{fault}: {each}")
    for fault in (*_order_faults(history), *_acknowledgement_faults(history), *snapshot_faults(history)):
        raise BrokenHistoryError(fault)


def _check_log(log: Sequence[StoredEvent]) -> None:
    versions: Counter[str] = Counter()
    names = set()
    for number, each in enumerate(log, 1):
        versions[each.aggregate] += 1
        if each.position != number:
            raise BrokenHistoryError(f"position {number} of the log is missing before {each}")
        if each.version != versions[each.aggregate]:
            raise BrokenHistoryError(f"this is not the next version of its aggregate: {each}")
        if each.event.name in names:
            raise BrokenHistoryError(f"an event is stored twice: {each}")
        names.add(each.event.name)


def _fault(operation: Operation, log: Log, places: Places) -> str | None:  # noqa: C901, PLR0911 # one for each kind
    lengths = places.lengths(operation)
    states = [log.until(length) for length in lengths]
    match operation.call, operation.answer:
        case Append() as call, Stored(results) if not results[0].duplicate:
            before = log.until(results[0].first - 1)
            if before.append(call) != results or not stored_next(before, call):
                return "it is not in the log where it was told"
            return None if before.head in lengths else "the log has it out of the order in time"
        case Append() as call, Stored(results):
            return (
                None
                if any(s.append(call) == results for s in states)
                else "it is no duplicate of what is there"
            )
        case Append() as call, Refused() as refusal:
            is_explained = any(_refuses(state, call, refusal) for state in states)
            return None if is_explained else "there was no such reason to refuse it"
        case ReadAggregate() as call, Found(events):
            return None if any(s.read_aggregate(call) == events for s in states) else "the log was never so"
        case ReadAll() as call, Found(events):
            return None if any(s.read_all(call) == events for s in states) else "the log was never so"
        case LoadAggregate(aggregate), Kept(version=version, events=events):
            following = (tuple(s.aggregate(aggregate)[version:]) for s in states)
            return None if events in following else "these events do not follow the snapshot"
        case SaveSnapshot() as call, Refused() | bool() as answer:
            return (
                None if any(_saves(state, call, answer) for state in states) else "its aggregate was not so"
            )
        case Subscribe() as call, Followed(items):
            return _following_fault(operation, call, items, log, places)
        case (Append(), Unknown()) | (GetSnapshot(), Kept()):
            return None
    return "this is no answer to it"


def _refuses(state: StoreState, call: Append, refusal: Refused) -> bool:
    possible = state.append(call)
    return isinstance(possible, frozenset) and refusal in possible


def _saves(state: StoreState, call: SaveSnapshot, answer: Refused | bool) -> bool:
    events = state.aggregate(call.aggregate)
    if call.version > len(events):
        return answer == Refused("version", None)
    if events[0].aggregate_type != call.aggregate_type:
        return answer == Refused("wrong_aggregate_type", events[0].aggregate_type)
    return isinstance(answer, bool)


def _following_fault(
    operation: Operation,
    call: Subscribe,
    items: Sequence[tuple[int, StoredEvent | Marked]],
    log: Log,
    places: Places,
) -> str | None:
    """Say what is wrong with what a subscription gave: each event once, in order, to the end of the log."""
    wanted = [e for e in log.events[call.after_position :] if passes(call.event_filter, e)]
    given = [item for _, item in items if isinstance(item, StoredEvent)]
    if given != wanted:
        return f"it gave not what it should, which is {[each.position for each in wanted]}"
    count = 0
    for _, item in items:
        if isinstance(item, StoredEvent):
            count += 1
            continue
        if count != sum(each.position <= item.position for each in wanted):
            return f"{item} says what is not so: {count} events were given"
        if item.kind == "CaughtUp" and item.position < places.shortest(operation.invoked):
            return f"{item} is behind what had been acknowledged before"
    return None


def _order_faults(history: History) -> Iterator[str]:
    """Yield the appends of a stream that overtook one before them of the same aggregate."""
    appends = [(each, each.call) for each in history.operations if isinstance(each.call, Append)]
    times = Counter(call.parts[0].events[0].name for _, call in appends)
    last: dict[tuple[int, str], int] = defaultdict(int)
    for each, call in sorted(appends, key=lambda pair: pair[0].invoked):
        is_repeated = (
            times[call.parts[0].events[0].name] > 1
        )  # and so anybody may have stored it, at any time
        if not call.stream or is_repeated or not isinstance(each.answer, Stored):
            continue
        for part, result in zip(call.parts, each.answer.results, strict=True):
            if result.first < last[call.stream, part.aggregate]:
                yield f"it overtook another of its stream: {each}"
            last[call.stream, part.aggregate] = result.last


def _acknowledgement_faults(history: History) -> Iterator[str]:
    """Yield the requests that were stored for the first time twice, or only said to be duplicates."""
    first_times: Counter[int] = Counter()
    for each in history.operations:
        if isinstance(each.call, Append) and isinstance(each.answer, Stored):
            first_times[each.answer.results[0].first] += not each.answer.results[0].duplicate
    for position, times in first_times.items():
        if times > 1 or (times == 0 and not history.is_disturbed):
            yield f"the append at position {position} was acknowledged {times} times as a new one"
