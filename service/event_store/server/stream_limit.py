"""How long a stream may be open: the service ends it before the platform does.

Cloud Run ends a request after its timeout, at most an hour, with a 504 in the middle of a message.
https://docs.cloud.google.com/run/docs/configuring/request-timeout

Invariants:

- No stream is open for longer than the limit, except while its caller does not take a message.
- It ends after a whole message, with UNAVAILABLE, the status that gRPC clients repeat. A caller that resumes
  after that message loses nothing and gets nothing twice.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TypeVar

from event_store.errors import StoppingError

Response = TypeVar("Response")


class StreamLimit:
    """The limit of every stream of a service.

    Args:
        seconds: How long a stream may be open, at least 0; 0 is without a limit.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._why = f"this stream was open for {seconds:g} s, which is its limit"

    def bounded(self, responses: AsyncGenerator[Response, None]) -> AsyncGenerator[Response, None]:
        """Return responses that end with the limit, counted from now, by a StoppingError."""
        return self._until_limit(responses) if self._seconds else responses

    @asynccontextmanager
    async def bounding(self) -> AsyncIterator[None]:
        """End the block with the limit, by a StoppingError."""
        try:
            async with asyncio.timeout(self._seconds or None):
                yield
        except TimeoutError:
            raise self._error() from None

    @contextmanager
    def stopping(self, stop: Callable[[str], None]) -> Iterator[None]:
        """Call `stop` with the reason once the limit is reached within the block."""
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
        return StoppingError(f"{self._why}: call again, after what it has sent")
