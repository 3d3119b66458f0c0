"""An error that the service raises is the error that the client's caller gets."""

import grpc
import pytest
from grpc_status import rpc_status

from event_store import errors
from event_store.contract import error_status
from event_store.log.import_writer import at_event


def _received(sent: errors.EventStoreError) -> errors.EventStoreError:
    """Send an error through the status that stands for it."""
    wire = rpc_status.to_status(error_status.to_status(sent))
    return error_status.to_error(
        grpc.aio.AioRpcError(wire.code, grpc.aio.Metadata(), wire.trailing_metadata, details=wire.details)
    )


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidArgumentError(errors.FieldViolation("a.b", "is é"), errors.FieldViolation("c", "is d")),
        errors.WrongExpectedVersionError("id", "no_stream", 7),
        errors.EventAlreadyExistsError("id"),
        errors.EventAlreadyExistsError("id", "metadata"),
        errors.WrongAggregateTypeError("id", "Order", "Invoice"),
        errors.ImportMovedError("moved"),
        at_event(17, errors.WrongExpectedVersionError("id", "6", 3)),
        errors.ReplayNotFoundError("id"),
        errors.ReplayAlreadyExistsError("id"),
        errors.ReplayEndedError("id", "finished"),
        errors.OverloadedError("full", 12.25),
        errors.UnavailableError("away"),
        errors.LogCorruptedError("a hole"),
        errors.ConfigurationError("no routing"),
        errors.EventStoreError("something else"),
    ],
)
def test_every_error_arrives_as_itself(error: errors.EventStoreError) -> None:
    """Class, message and every attribute survive the way through gRPC."""
    received = _received(error)

    assert type(received) is type(error)
    assert str(received) == str(error)
    assert vars(received) == vars(error)


@pytest.mark.parametrize(
    "error",
    [errors.TopologyError("bad file"), errors.SchemaError("too new"), errors.StoppingError("stopping")],
)
def test_an_error_without_a_row_arrives_as_its_parent(error: errors.EventStoreError) -> None:
    """A class that is not in the table is not lost."""
    received = _received(error)

    assert type(received) is type(error).__bases__[0]
    assert str(received) == str(error)


def test_an_error_of_any_size_fits_into_the_metadata_of_a_call() -> None:
    """A status whose metadata is above 8 KiB is dropped by gRPC: long errors are cut."""
    error = errors.InvalidArgumentError(*(errors.FieldViolation(f"f[{n}]", "😀" * 500) for n in range(1000)))

    sent = error_status.to_status(error)
    # Each byte of the message may travel as three, and the details in Base64.
    size_bytes = 3 * len(sent.message.encode()) + len(sent.SerializeToString()) * 4 / 3
    received = _received(error)

    assert size_bytes < 8000
    assert isinstance(received, errors.InvalidArgumentError)
    assert [violation.field for violation in received.violations] == [*[f"f[{n}]" for n in range(10)], ""]
    assert str(received).endswith("; 990 more fields are invalid: correct these first")


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (grpc.StatusCode.INTERNAL, errors.EventStoreError, "INTERNAL: text"),
        (grpc.StatusCode.UNAVAILABLE, errors.UnavailableError, "cannot be reached: text"),
        (grpc.StatusCode.CANCELLED, errors.UnavailableError, "cannot be reached: text"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.UnavailableError, "did not answer in time"),
        (grpc.StatusCode.PERMISSION_DENIED, errors.ConfigurationError, "grant it the role roles/run.invoker"),
        (grpc.StatusCode.UNAUTHENTICATED, errors.ConfigurationError, "grant it the role roles/run.invoker"),
        (grpc.StatusCode.UNIMPLEMENTED, errors.ConfigurationError, "not an event store"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.EventStoreError, "RESOURCE_EXHAUSTED: text"),
    ],
)
def test_a_status_of_somebody_else_becomes_the_nearest_error(
    code: grpc.StatusCode, kind: type[errors.EventStoreError], message: str
) -> None:
    """gRPC, Cloud Run and proxies send statuses without our details."""
    received = error_status.to_error(
        grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details="text")
    )

    assert type(received) is kind
    assert message in str(received)


def test_a_message_that_could_not_be_sent_is_a_lost_connection() -> None:
    """grpc.aio's own words for it: the same again is safe, as after any other loss of the connection."""
    call = grpc.aio.AioRpcError(
        grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), grpc.aio.Metadata(), details="Internal error from Core"
    )

    assert isinstance(error_status.to_error(call), errors.UnavailableError)


def test_details_of_somebody_else_are_passed_over() -> None:
    """A proxy's broken details do not hide the status itself."""
    metadata = grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff"))

    received = error_status.to_error(
        grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), metadata, details="text")
    )

    assert isinstance(received, errors.UnavailableError)
