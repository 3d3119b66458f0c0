"""The errors of a call.

PubSubError
├── InvalidArgumentError       a field is wrong; nothing was done
│   └── AckIdsError            exactly-once: acknowledgement ids without effect
├── NotFoundError              no such topic, subscription or snapshot
├── PermissionDeniedError      the caller lacks a permission
├── UnauthenticatedError       the caller's token is unknown
├── AlreadyExistsError         the name is taken
├── FailedPreconditionError    valid, but not in the resource's current state
├── ResourceExhaustedError     a limit is reached
├── AbortedError               a policy changed since it was read
├── UnavailableError           the server is stopping
└── UnimplementedError         a feature of Google's that this server lacks
"""

from collections.abc import Mapping

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

STALE = "PERMANENT_FAILURE_INVALID_ACK_ID"  # expired, superseded or used up
UNORDERED = "TRANSIENT_FAILURE_UNORDERED_ACK_ID"  # an earlier message of its key is not acknowledged
DETAILS_HEADER = "grpc-status-details-bin"  # where gRPC puts google.rpc.Status


class PubSubError(Exception):
    """The base of all errors: a message for the caller and its gRPC status."""

    code = grpc.StatusCode.UNKNOWN

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """The trailing headers of the status."""
        return ()


class InvalidArgumentError(PubSubError):
    """A field of the request is wrong."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class AckIdsError(InvalidArgumentError):
    """Some ack ids of an exactly-once subscription had no effect."""

    def __init__(self, failures: Mapping[str, str]) -> None:
        """Record the ack ids that had no effect.

        Args:
            failures: Google's reason code by ack id.
        """
        super().__init__("Some acknowledgement ids in the request were invalid: see the error details.")
        self.failures = failures

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """The ErrorInfo: tells Google's client which ack ids failed, and which of them to retry."""
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
    """The caller lacks a permission."""

    code = grpc.StatusCode.PERMISSION_DENIED


class UnauthenticatedError(PubSubError):
    """The caller's token is unknown."""

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
    """A limit is reached."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class AbortedError(PubSubError):
    """A concurrent change was faster: the policy changed since it was read."""

    code = grpc.StatusCode.ABORTED


class UnavailableError(PubSubError):
    """The server is stopping."""

    code = grpc.StatusCode.UNAVAILABLE


class UnimplementedError(PubSubError):
    """The request uses a feature of Google's that this server lacks."""

    code = grpc.StatusCode.UNIMPLEMENTED
