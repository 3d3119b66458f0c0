"""Startup probes, which tell Cloud Run that a container is ready."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from local_gcp.resource.errors import CloudError
from local_gcp.resource.properties import Properties

_PAUSE_SECONDS = 0.05  # Google waits a whole period; on a laptop a person waits for the result


@dataclass(frozen=True, slots=True)
class Probe:
    """A startup probe.

    Attributes:
        check: Tells whether the server on a port is ready.
        within_seconds: The time limit, in seconds.
    """

    check: Callable[[int], Awaitable[bool]]
    within_seconds: float

    @classmethod
    def parse(cls, container: Properties) -> "Probe":
        """Read a container's `startupProbe`; the default waits up to 240 s for the port.

        Raises:
            CloudError: The local Google Cloud does not support this kind of probe.
        """
        probe = container.get("startupProbe")
        if probe is None:
            return cls(_tcp, 240)
        within_seconds = probe["initialDelaySeconds"] + probe["failureThreshold"] * probe["periodSeconds"]
        if "httpGet" in probe:
            raise CloudError(
                "the local Google Cloud has no httpGet probes: add them to "
                "local_gcp/container/startup_probe.py, or use grpc"
            )
        if "grpc" not in probe:
            return cls(_tcp, within_seconds)
        service, timeout_seconds = probe["grpc"].get("service", ""), probe["timeoutSeconds"]
        return cls(lambda port: _grpc(port, service, timeout_seconds), within_seconds)

    @classmethod
    def passing(cls) -> "Probe":
        """Return a probe that passes at once."""

        async def check(_port: int) -> bool:
            return True

        return cls(check, 1)

    async def passes(self, port: int) -> bool:
        """Wait until the probe passes; return False if it does not pass in time."""
        try:
            async with asyncio.timeout(self.within_seconds):
                while not await self.check(port):  # noqa: ASYNC110 # another process cannot set an event
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError:
            return False
        return True


async def _tcp(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _grpc(port: int, service: str, timeout_seconds: float) -> bool:
    if not await _tcp(port):  # gRPC would back off for a second
        return False
    options = (("grpc.enable_http_proxy", 0),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(
                health_pb2.HealthCheckRequest(service=service), timeout=timeout_seconds, wait_for_ready=True
            )
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
