"""A client with many calls in flight: reads serialised requests from standard input and prints the seconds.

Usage: `python -m benchmarks.loads.service PORT METHOD CHANNELS IN_FLIGHT`. METHOD is a stream if its name
ends so; each channel then has one, with its part of the requests in flight. Each request on
standard input is preceded by its length in four bytes.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from typing import Any

import grpc
import uvloop


def _requests(text: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(text):
        size = int.from_bytes(text[at : at + 4], "big")
        yield text[at + 4 : at + 4 + size]
        at += 4 + size


async def _calls(call: Any, requests: Iterator[bytes]) -> None:
    for request in requests:
        await call(request)


async def _stream(call: Any, requests: Iterator[bytes], in_flight: int) -> None:
    unanswered = 0
    for request in requests:
        await call.write(request)
        unanswered += 1
        if unanswered == in_flight:
            await call.read()
            unanswered -= 1
    for _ in range(unanswered):
        await call.read()
    await call.done_writing()


async def _run(port: str, method: str, channels: int, in_flight: int) -> None:
    requests = _requests(sys.stdin.buffer.read())
    # Channels to the same address share a connection unless they differ.
    opened = [
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("benchmark.channel", number)])
        for number in range(channels)
    ]
    await asyncio.gather(*(channel.channel_ready() for channel in opened))
    began = time.perf_counter()
    if method.endswith("Stream"):
        streams = [channel.stream_stream(method)() for channel in opened]
        await asyncio.gather(*(_stream(each, requests, in_flight // channels) for each in streams))
    else:
        calls = [channel.unary_unary(method) for channel in opened]
        await asyncio.gather(*(_calls(calls[n % channels], requests) for n in range(in_flight)))
    print(time.perf_counter() - began)
    for channel in opened:
        await channel.close()


if __name__ == "__main__":
    uvloop.run(_run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
