"""The product's server with an echo beside it: `python -m benchmarks.server` prints its port and serves."""

from collections.abc import AsyncIterator

import grpc
import uvloop

from event_store.environment import Environment
from event_store.server.server import Server
from event_store.v1 import event_store_pb2 as pb

ECHO = "/benchmarks.Echo/Echo"
ECHO_STREAM = "/benchmarks.Echo/EchoStream"


async def _echo(request: pb.AppendEventsRequest, _context: object) -> pb.AppendEventsRequest:
    return request


async def _echo_stream(
    requests: AsyncIterator[pb.AppendEventsRequest], _context: object
) -> AsyncIterator[pb.AppendEventsRequest]:
    async for request in requests:
        yield request


async def _serve() -> None:
    server = Server(Environment(port=0, relay="off"), None)
    method = grpc.unary_unary_rpc_method_handler(
        _echo, pb.AppendEventsRequest.FromString, pb.AppendEventsRequest.SerializeToString
    )
    stream = grpc.stream_stream_rpc_method_handler(
        _echo_stream, pb.AppendEventsRequest.FromString, pb.AppendEventsRequest.SerializeToString
    )
    methods = {"Echo": method, "EchoStream": stream}
    echo = grpc.method_handlers_generic_handler("benchmarks.Echo", methods)
    server.grpc.add_generic_rpc_handlers((echo,))
    await server.start()
    print(server.port, flush=True)
    await server.wait()


if __name__ == "__main__":
    uvloop.run(_serve())
