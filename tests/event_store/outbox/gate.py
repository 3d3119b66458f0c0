"""A gate before a running Pub/Sub: publish requests pass, wait before it or are refused, as under load."""

import asyncio
from typing import Any, Final, Self

import grpc

PUBLISH: Final = "/google.pubsub.v1.Publisher/Publish"


class Gate(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc ships no types
    """`async with Gate(address) as gate: ... gate.address`; it is open at first.

    Args:
        address: The Pub/Sub behind it.
    """

    def __init__(self, address: str) -> None:
        self._behind = grpc.aio.insecure_channel(address)
        self._publish = self._behind.unary_unary(PUBLISH)
        self._server = grpc.aio.server(options=(("grpc.max_receive_message_length", -1),))
        self._server.add_generic_rpc_handlers((self,))
        self._changed = asyncio.Condition()
        self._refusal: tuple[grpc.StatusCode, str] | None = None
        self._allowed: float = float("inf")
        self.waiting = 0
        self.most_waiting = 0
        self.passed = 0
        self.refused = 0
        self.limits_seconds: list[float] = []  # how long each request had left when it came
        self.metadata: list[dict[str, str]] = []  # what came with each request
        self.address = ""

    async def __aenter__(self) -> Self:
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(None)
        await self._behind.close()

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler | None:
        """The handler of publish requests, as bytes."""
        if handler_call_details.method != PUBLISH:
            return None
        return grpc.unary_unary_rpc_method_handler(self._handle)

    async def close(self, refusal: grpc.StatusCode | None = None, details: str = "too many requests") -> None:
        """From now on requests wait, or are refused."""
        await self._change(0, refusal and (refusal, details))

    async def allow(self, requests: int) -> None:
        """Let some requests pass and wait until they have."""
        passed = self.passed + requests
        await self._change(self._allowed + requests)
        await self.until(lambda: self.passed >= passed)

    async def open(self) -> None:
        """From now on all requests pass, those that wait too."""
        await self._change(float("inf"))

    async def until(self, condition: Any) -> None:
        """Wait until something holds of this gate."""
        async with self._changed:
            await self._changed.wait_for(condition)

    async def _change(self, allowed: float, refusal: tuple[grpc.StatusCode, str] | None = None) -> None:
        async with self._changed:
            self._allowed, self._refusal = allowed, refusal
            self._changed.notify_all()

    async def _handle(self, request: bytes, context: Any) -> bytes:
        async with self._changed:
            self.limits_seconds.append(context.time_remaining() or float("inf"))
            self.metadata.append(dict(context.invocation_metadata()))
            self.waiting += 1
            self.most_waiting = max(self.waiting, self.most_waiting)
            self._changed.notify_all()
            try:
                await self._changed.wait_for(lambda: self._refusal or self._allowed >= 1)
            finally:
                self.waiting -= 1
            if self._refusal:
                self.refused += 1
                self._changed.notify_all()
                await context.abort(*self._refusal)
            self._allowed -= 1
        response: bytes = await self._publish(request)
        async with self._changed:
            self.passed += 1
            self._changed.notify_all()
        return response
