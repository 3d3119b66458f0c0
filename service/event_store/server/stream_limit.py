"""End streams at a time limit, before the platform cuts them off.

Cloud Run ends a request after its timeout, at most an hour, with a 504 in the middle of a message.
https://docs.cloud.google.com/run/docs/configuring/request-timeout

Invariants:

- No stream is open for longer than the limit, except while its caller does not read a message.
- A stream ends after a whole message, with UNAVAILABLE, the status that gRPC clients retry. A caller that
  resumes after that message loses and repeats nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TypeVar

from event_store.errors import StoppingError

Response = TypeVar("Response")


class StreamLimit:
    """The time limit of the streams of a service.

    Args:
        seconds: The longest time that a stream is open, at least 0; 0 is no limit.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._why = f"the stream has reached its time limit of {seconds:g} s"

    def bounded(self, responses: AsyncGenerator[Response, None]) -> AsyncGenerator[Response, None]:
        """Return responses that end with a StoppingError at the limit, counted from now."""
        return self._until_limit(responses) if self._seconds else responses

    @asynccontextmanager
    async def bounding(self) -> AsyncIterator[None]:
        """End the block with a StoppingError at the limit."""
        try:
            async with asyncio.timeout(self._seconds or None):
                yield
        except TimeoutError:
            raise self._error() from None

    @contextmanager
    def stopping(self, stop: Callable[[str], None]) -> Iterator[None]:
        """Call `stop` with the reason if the block reaches the limit."""
        if not self._seconds:
            yield
            return
        timer = asyncio.get_running_loop().call_later(self._seconds, stop, self._why)
        try:
            yield
        finally:
            timer.cancel()

    async def _until_limit(self, responses: AsyncGenerator[Response, None]) -> AsyncGenerator[Response, None]:
        deadline = asyncio.get_running_loop().time() + self._seconds
        async with aclosing(responses):
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        response = await anext(responses)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise self._error() from None
                yield response

    def _error(self) -> StoppingError:
        return StoppingError(f"{self._why}: call again to resume after its last message")
