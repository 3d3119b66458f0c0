"""What may be wrong with the snapshots of a history: one that goes back, or that nobody saved."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.system.history.history import (
    GetSnapshot,
    History,
    Kept,
    LoadAggregate,
    Operation,
    Refused,
    SaveSnapshot,
)


def snapshot_faults(history: History) -> Iterator[str]:
    """Yield what is wrong."""
    saves: dict[str, list[tuple[Operation, SaveSnapshot]]] = defaultdict(list)
    for each in history.operations:
        if isinstance(each.call, SaveSnapshot) and not isinstance(each.answer, Refused):
            saves[each.call.aggregate].append((each, each.call))
    for each in history.operations:
        if isinstance(each.call, GetSnapshot | LoadAggregate) and isinstance(each.answer, Kept):
            of_aggregate = saves[each.call.aggregate]
            if (
                not history.is_disturbed
            ):  # else the first of two attempts may have saved what the second did not
                of_aggregate = [save for save in of_aggregate if save[0].answer is True]
            if fault := _kept_fault(each, each.answer, of_aggregate):
                yield f"{fault}: {each}"
        elif isinstance(each.call, SaveSnapshot) and each.answer is False:
            newer = [
                s for o, s in saves[each.call.aggregate] if s.version > each.call.version and o is not each
            ]
            if not newer:
                yield f"there was no newer snapshot: {each}"


def _kept_fault(got: Operation, kept: Kept, saves: Sequence[tuple[Operation, SaveSnapshot]]) -> str | None:
    source = next((o for o, s in saves if (s.version, s.data) == (kept.version, kept.data)), None)
    if kept.data is not None and (source is None or source.invoked > got.responded):
        return "nobody saved this snapshot"
    for save, call in saves:
        is_acknowledged = save.answer is True and save.responded < got.invoked
        is_later = source is None or save.invoked > source.responded
        if is_acknowledged and (call.version > kept.version or (call.version == kept.version and is_later)):
            return (
                f"it goes back behind the snapshot of version {call.version}, {save.invoked}-{save.responded}"
            )
    return None
