"""The endpoints, sent by the daemon to the commands as JSON over gRPC, so that no SDK is needed."""

import json
from collections.abc import Callable
from typing import Any, Final

import grpc

from local_gcp.errors import SetupError
from local_gcp.resource.properties import Properties

_SERVICE: Final = "local_gcp.Daemon"
_METHOD: Final = "GetEndpoints"
_CALL_SECONDS: Final = 10.0


def endpoints_handler(tell: Callable[[], Properties]) -> grpc.GenericRpcHandler:
    """Return the gRPC handler of a request for the endpoints."""

    async def get_endpoints(_request: bytes, _context: Any) -> bytes:
        return json.dumps(tell()).encode()

    method = grpc.unary_unary_rpc_method_handler(get_endpoints)
    return grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: method})


def ask_endpoints(port: int) -> Properties:
    """Request the endpoints from the daemon.

    Raises:
        SetupError: The daemon does not answer.
    """
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=(("grpc.enable_http_proxy", 0),)) as channel:
        try:
            answer = channel.unary_unary(f"/{_SERVICE}/{_METHOD}")(b"", timeout=_CALL_SECONDS)
        except grpc.RpcError as error:
            raise SetupError(
                f"the local Google Cloud does not answer ({error}): run `down`, then `up`"
            ) from None
    told: Properties = json.loads(answer)
    return told
