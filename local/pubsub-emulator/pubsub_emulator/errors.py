"""What a call can fail with.

PubSubError
├── InvalidArgumentError       a field is wrong; nothing was done
│   └── AckIdsError            exactly-once: acknowledgement ids without effect
├── NotFoundError              no such topic, subscription or snapshot
├── PermissionDeniedError      the caller lacks a right
├── UnauthenticatedError       nobody knows the caller's token
├── AlreadyExistsError         the name is taken
├── FailedPreconditionError    right in itself, but not in this state
├── ResourceExhaustedError     a limit on how many there may be
├── AbortedError               a policy changed since it was read
├── UnavailableError           the server is stopping
└── UnimplementedError         Google has it, this server has not
"""

from collections.abc import Mapping

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

STALE = "PERMANENT_FAILURE_INVALID_ACK_ID"  # expired, superseded or used up
UNORDERED = "TRANSIENT_FAILURE_UNORDERED_ACK_ID"  # an earlier message of its key is not acknowledged
DETAILS_HEADER = "grpc-status-details-bin"  # where gRPC puts google.rpc.Status


class PubSubError(Exception):
    """The root: a message for the caller and the gRPC status that carries it."""

    code = grpc.StatusCode.UNKNOWN

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """Headers to send with the status."""
        return ()


class InvalidArgumentError(PubSubError):
    """A field of the request is wrong."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class AckIdsError(InvalidArgumentError):
    """Acknowledgement ids of an exactly-once subscription that had no effect."""

    def __init__(self, failures: Mapping[str, str]) -> None:
        """Keep what failed.

        Args:
            failures: Why, in Google's words, by the id.
        """
        super().__init__("Some acknowledgement ids in the request were invalid: see the error details.")
        self.failures = failures

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """The ErrorInfo by which Google's client tells which ids failed, and which of them to try again."""
        info = error_details_pb2.ErrorInfo(
            reason="EXACTLY_ONCE_ACKID_FAILURE", domain="pubsub.googleapis.com", metadata=self.failures
        )
        detail = any_pb2.Any()
        detail.Pack(info)
        status = status_pb2.Status(code=self.code.value[0], message=str(self), details=[detail])
        return ((DETAILS_HEADER, status.SerializeToString()),)


class NotFoundError(PubSubError):
    """The named resource does not exist."""

    code = grpc.StatusCode.NOT_FOUND

    def __init__(self, name: str) -> None:
        super().__init__(f"Resource not found (resource={name}).")


class PermissionDeniedError(PubSubError):
    """The caller lacks a right."""

    code = grpc.StatusCode.PERMISSION_DENIED


class UnauthenticatedError(PubSubError):
    """Nobody knows the caller's token."""

    code = grpc.StatusCode.UNAUTHENTICATED


class AlreadyExistsError(PubSubError):
    """The name is taken."""

    code = grpc.StatusCode.ALREADY_EXISTS

    def __init__(self, name: str) -> None:
        super().__init__(f"Resource already exists in the project (resource={name}).")


class FailedPreconditionError(PubSubError):
    """The request does not fit the state of the resource."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class ResourceExhaustedError(PubSubError):
    """There are as many as there may be."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class AbortedError(PubSubError):
    """Somebody else was faster."""

    code = grpc.StatusCode.ABORTED


class UnavailableError(PubSubError):
    """The server is stopping."""

    code = grpc.StatusCode.UNAVAILABLE


class UnimplementedError(PubSubError):
    """A feature of Google's that this server does not have."""

    code = grpc.StatusCode.UNIMPLEMENTED
