"""Convert errors to gRPC statuses, for the servicer, and back, for the client, by one table.

A status carries `google.rpc` details: `BadRequest` for invalid input, `ErrorInfo` of the domain `event-store`
for every other error that a caller can act on, and `RetryInfo` where a retry helps.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from event_store.errors import (
    ConfigurationError,
    EventAlreadyExistsError,
    EventStoreError,
    FieldViolation,
    ImportMovedError,
    InvalidArgumentError,
    LogCorruptedError,
    OverloadedError,
    ReplayAlreadyExistsError,
    ReplayEndedError,
    ReplayNotFoundError,
    UnavailableError,
    WrongAggregateTypeError,
    WrongExpectedVersionError,
)

DOMAIN: Final = "event-store"
DETAILS: Final = "grpc-status-details-bin"  # gRPC's name for the trailer that carries the whole status
_RETRY_SECONDS: Final = 0.1  # for an error without a time of its own
# gRPC drops a status whose metadata is above 8 KiB. Of a message each byte may take three there, and the
# details a third more than their own size; nobody reads a hundred violations.
_MESSAGE_BYTES: Final = 500
_VIOLATIONS: Final = 10
_DESCRIPTION_BYTES: Final = 200
# What grpc.aio says of a message that it could not send because the connection had just been lost, where it
# finds that out before it has the status of the call.
_SENDING_FAILED: Final = "Internal error from Core"
CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class _Row:
    """An error's code and reason, and its constructor's arguments unless the message is the only one."""

    error: type[EventStoreError]
    code: grpc.StatusCode
    reason: str
    arguments: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)


# Read from above, so that a class stands before the one it descends from.
_TABLE: Final = (
    _Row(InvalidArgumentError, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
    _Row(
        WrongExpectedVersionError,
        grpc.StatusCode.ABORTED,
        "WRONG_EXPECTED_VERSION",
        {"aggregate_id": str, "expected_version": str, "actual_version": int},
    ),
    _Row(
        EventAlreadyExistsError,
        grpc.StatusCode.ALREADY_EXISTS,
        "EVENT_ALREADY_EXISTS",
        {"event_id": str, "field": str},
    ),
    _Row(
        WrongAggregateTypeError,
        grpc.StatusCode.FAILED_PRECONDITION,
        "WRONG_AGGREGATE_TYPE",
        {"aggregate_id": str, "aggregate_type": str, "actual_type": str},
    ),
    _Row(ImportMovedError, grpc.StatusCode.ABORTED, "IMPORT_MOVED"),
    _Row(ReplayNotFoundError, grpc.StatusCode.NOT_FOUND, "REPLAY_NOT_FOUND", {"replay_id": str}),
    _Row(
        ReplayAlreadyExistsError, grpc.StatusCode.ALREADY_EXISTS, "REPLAY_ALREADY_EXISTS", {"replay_id": str}
    ),
    _Row(
        ReplayEndedError,
        grpc.StatusCode.FAILED_PRECONDITION,
        "REPLAY_ENDED",
        {"replay_id": str, "state": str},
    ),
    _Row(OverloadedError, grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
    _Row(UnavailableError, grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"),
    _Row(LogCorruptedError, grpc.StatusCode.DATA_LOSS, "LOG_CORRUPTED"),
    _Row(ConfigurationError, grpc.StatusCode.FAILED_PRECONDITION, "CONFIGURATION"),
    _Row(EventStoreError, grpc.StatusCode.INTERNAL, "INTERNAL"),
)


def to_status(error: EventStoreError) -> status_pb2.Status:
    """Convert an error to a status, which a call carries whole in its trailer `DETAILS`."""
    row = next(row for row in _TABLE if isinstance(error, row.error))
    status = status_pb2.Status(code=row.code.value[0], message=_cut(str(error), _MESSAGE_BYTES))
    for detail in _details(row, error):
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def to_error(call: grpc.aio.AioRpcError) -> EventStoreError:
    """Convert a failed call to an error; a status of another origin becomes the nearest error."""
    return _to_error(call.code(), call.details() or call.code().name, _sent_details(call))


def from_status(status: status_pb2.Status) -> EventStoreError:
    """Convert a status of the service to an error."""
    return _to_error(CODES[status.code], status.message, list(status.details))


def _sent_details(call: grpc.aio.AioRpcError) -> list[any_pb2.Any]:
    """Return the details in a call's trailers; none if they are of another origin."""
    sent = next((value for name, value in call.trailing_metadata() or () if name == DETAILS), b"")
    try:
        status = status_pb2.Status.FromString(sent)
    except DecodeError:
        return []
    is_of_call = (status.code, status.message) == (call.code().value[0], call.details())
    return list(status.details) if is_of_call else []


def _to_error(code: grpc.StatusCode, message: str, details: list[any_pb2.Any]) -> EventStoreError:
    if (request := _unpacked(details, error_details_pb2.BadRequest)) is not None:
        return InvalidArgumentError(
            *(FieldViolation(each.field, each.description) for each in request.field_violations)
        )
    info = _unpacked(details, error_details_pb2.ErrorInfo)
    row = next((row for row in _TABLE if info and info.domain == DOMAIN and info.reason == row.reason), None)
    if info is None or row is None:
        return _foreign(code, message)
    if row.error is OverloadedError:
        retry = _unpacked(details, error_details_pb2.RetryInfo)
        return OverloadedError(message, retry.retry_delay.ToNanoseconds() / 1e9 if retry else _RETRY_SECONDS)
    if row.arguments:
        error = row.error(*(convert(info.metadata[name]) for name, convert in row.arguments.items()))
        error.args = (message,)  # an import's message also has the number of the event
        return error
    return row.error(message)


def _details(row: _Row, error: EventStoreError) -> Iterator[Message]:
    if isinstance(error, InvalidArgumentError):
        yield error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(
                    field=each.field, description=_cut(each.description, _DESCRIPTION_BYTES)
                )
                for each in _told(error.violations)
            ]
        )
        return
    metadata = {name: str(getattr(error, name)) for name in row.arguments}
    yield error_details_pb2.ErrorInfo(domain=DOMAIN, reason=row.reason, metadata=metadata)
    if isinstance(error, OverloadedError | UnavailableError):
        seconds = error.retry_after_seconds if isinstance(error, OverloadedError) else _RETRY_SECONDS
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(round(seconds * 1e9))
        yield error_details_pb2.RetryInfo(retry_delay=delay)


def _told(violations: tuple[FieldViolation, ...]) -> tuple[FieldViolation, ...]:
    """Return the first violations and, if there are more, a last one with their number."""
    more = len(violations) - _VIOLATIONS
    rest = FieldViolation("", f"{more} more fields are invalid: correct these first")
    return (*violations[:_VIOLATIONS], rest) if more > 0 else violations


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")


def _foreign(code: grpc.StatusCode, message: str) -> EventStoreError:
    """Return the nearest error for a status of gRPC itself, of Cloud Run or of a proxy."""
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):  # a server that stops cancels
        return UnavailableError(f"the service cannot be reached: {message}")
    if code is grpc.StatusCode.INTERNAL and message == _SENDING_FAILED:
        return UnavailableError("the connection to the service was lost")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return UnavailableError("the service did not answer in time")
    if code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
        return ConfigurationError(
            f"the service rejects this identity ({message}): grant it the role roles/run.invoker"
        )
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return ConfigurationError(f"the target is not an event store ({message}): check its address")
    return EventStoreError(f"{code.name}: {message}")


def _unpacked(details: list[any_pb2.Any], kind: Callable[[], Any]) -> Any:
    for detail in details:
        message = kind()
        if detail.Unpack(message):
            return message
    return None
