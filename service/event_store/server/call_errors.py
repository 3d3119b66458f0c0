"""End a call with the status of an error, and log errors that need attention."""

import logging
from typing import Final, TypeAlias

import grpc

from event_store.contract.error_status import CODES, DETAILS, to_status
from event_store.errors import (
    EventAlreadyExistsError,
    EventStoreError,
    ImportMovedError,
    InvalidArgumentError,
    ReplayAlreadyExistsError,
    ReplayEndedError,
    ReplayNotFoundError,
    StoppingError,
    WrongAggregateTypeError,
    WrongExpectedVersionError,
)

Context: TypeAlias = grpc.aio.ServicerContext
# Errors of the caller, and the end of a stopping service.
_EXPECTED: Final = (
    InvalidArgumentError,
    WrongExpectedVersionError,
    EventAlreadyExistsError,
    WrongAggregateTypeError,
    ImportMovedError,
    ReplayNotFoundError,
    ReplayAlreadyExistsError,
    ReplayEndedError,
    StoppingError,
)

logger = logging.getLogger(__name__)


class Answering:
    """Converts an error raised in its block to the call's status, and logs those that need attention."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, EventStoreError):
            log_failure(error, self._context)
            status = to_status(error)
            trailers = ((DETAILS, status.SerializeToString()),)
            await self._context.abort(CODES[status.code], status.message, trailers)


def log_failure(error: EventStoreError, context: Context) -> None:
    """Log the error of a call, unless it is the caller's own or the service is stopping."""
    if not isinstance(error, _EXPECTED):
        metadata = dict(context.invocation_metadata() or ())
        logger.error("%s", error, extra={"traceparent": metadata.get("traceparent")})
