"""Encode a batch of requests for the SQL function `append_events`, and decode its verdicts.

`migrations/sql` describes the format, next to that function.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson

from event_store.contract.append_request import ANY, EXISTS, PreparedAppend, PreparedRequest
from event_store.errors import (
    EventAlreadyExistsError,
    EventStoreError,
    WrongAggregateTypeError,
    WrongExpectedVersionError,
)
from event_store.v1 import event_store_pb2 as pb

Verdict = pb.AppendEventsResponse | EventStoreError

_EXPECTED_NAMES: Final = {ANY: "any", EXISTS: "exists", 0: "no_stream"}


def encode(requests: Sequence[PreparedRequest]) -> bytes:
    """Encode a batch as JSON; JSON texts are inserted unchanged."""
    owners: list[int] = []
    aggregates, types, expected, starts = [], [], [], []
    appends, offsets, event_types, data, metadata, times = [], [], [], [], [], []
    ids: list[str] = []
    for number, request in enumerate(requests):
        for append in request.appends:
            owners.append(number)
            aggregates.append(append.aggregate_id)
            types.append(_quoted(append.aggregate_type))
            expected.append(append.expected)
            starts.append(len(ids))
            for offset, event in enumerate(append.events, 1):
                appends.append(len(owners))
                offsets.append(offset)
                ids.append(event.event_id)
                event_types.append(_quoted(event.event_type))
                data.append(event.event_data)
                metadata.append(event.metadata)
                times.append(event.occurred_at)
    return (
        f'{{"requests":"{{{_joined(owners)}}}","aggregates":"{{{",".join(aggregates)}}}",'
        f'"types":[{",".join(types)}],"expected":"{{{_joined(expected)}}}","starts":"{{{_joined(starts)}}}",'
        f'"appends":"{{{_joined(appends)}}}","offsets":"{{{_joined(offsets)}}}","ids":"{{{",".join(ids)}}}",'
        f'"event_types":[{",".join(event_types)}],"occurred_at":"{{{",".join(times)}}}","data":['
    ).encode() + b'%b],"metadata":[%b]}' % (b",".join(data), b",".join(metadata))


def decode(
    requests: Sequence[PreparedRequest], row: tuple[int, Sequence[int], Mapping[str, Any] | None]
) -> Iterator[Verdict]:
    """Yield the verdict of each request from the function's result: head, versions, verdicts."""
    position, versions, verdicts = row
    number = 0
    for request in requests:
        first = number
        number += len(request.appends)
        own = [verdicts.get(str(each)) for each in range(first + 1, number + 1)] if verdicts else []
        if any(own):
            yield _refusal(request, own)
            continue
        results = []
        for append, version in zip(request.appends, versions[first:number], strict=True):
            size = len(append.events)
            results.append(
                pb.AppendResult(
                    aggregate_id=append.aggregate_id,
                    event_version=version + size,
                    first_global_position=position + 1,
                    last_global_position=position + size,
                )
            )
            position += size
        yield pb.AppendEventsResponse(results=results)


def _refusal(request: PreparedRequest, verdicts: Sequence[Mapping[str, Any] | None]) -> Verdict:
    told = [
        (append, each) for append, each in zip(request.appends, verdicts, strict=True) if each is not None
    ]
    errors = [_error(append, each) for append, each in told if each["verdict"] != "duplicate"]
    if errors:  # an error that names the differing field is the most helpful
        return next(filter(_names_field, errors), errors[0])
    results = []
    for append, verdict in told:
        results.append(
            pb.AppendResult(
                aggregate_id=append.aggregate_id,
                event_version=verdict["event_version"],
                first_global_position=verdict["first_position"],
                last_global_position=verdict["first_position"] + len(append.events) - 1,
                duplicate=True,
            )
        )
    return pb.AppendEventsResponse(results=results)


def _names_field(error: EventStoreError) -> bool:
    return isinstance(error, EventAlreadyExistsError) and error.field != ""


def _error(append: PreparedAppend, verdict: Mapping[str, Any]) -> EventStoreError:
    match verdict["verdict"]:
        case "event_already_exists":
            return EventAlreadyExistsError(verdict["event_id"], verdict["field"])
        case "wrong_aggregate_type":
            return WrongAggregateTypeError(append.aggregate_id, append.aggregate_type, verdict["actual_type"])
        case _:
            expected = _EXPECTED_NAMES.get(append.expected, str(append.expected))
            return WrongExpectedVersionError(append.aggregate_id, expected, verdict["actual_version"])


def _joined(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


@lru_cache(4096)  # few types, many events
def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()
