"""The part of HTTP/2 that is needed to insert a GOAWAY frame into a proxied connection.

A server that is about to stop sends its clients a GOAWAY frame that names the highest possible stream. They
open no more streams on the connection, finish the open ones, and connect again (RFC 9113, section 6.8).
Frames begin with their length, so another frame may be inserted between any two of them.
"""

from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n"
GOAWAY: Final = bytes([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
_HEADER_BYTES: Final = 9


class Frames:
    """Tracks the frames that a server sends, and inserts a GOAWAY between two of them on request.

    Invariant: the client receives the return values of `feed` and `say_goodbye` in their order. A header is
    held back until it is complete, so between two calls the client has received complete headers only.
    """

    def __init__(self) -> None:
        self._held = b""
        self._missing_bytes = 0  # of the frame whose header was passed on
        self._has_begun = False  # a server's first frame is always its own
        self._owes_goodbye = False

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes from the server; return the bytes for the client."""
        data, done, passed = self._held + chunk, 0, bytearray()
        while True:
            end = min(done + self._missing_bytes, len(data))
            passed += data[done:end]
            self._missing_bytes -= end - done
            done = end
            if self._missing_bytes == 0:
                passed += self._goodbye()
            if self._missing_bytes or len(data) - done < _HEADER_BYTES:
                break
            self._missing_bytes = _HEADER_BYTES + int.from_bytes(data[done : done + 3])
            self._has_begun = True
        self._held = data[done:]
        return bytes(passed)

    def say_goodbye(self) -> bytes:
        """Return the bytes to send to the client now; none inside a frame, whose end the GOAWAY follows."""
        self._owes_goodbye = True
        return self._goodbye() if self._missing_bytes == 0 else b""

    def _goodbye(self) -> bytes:
        if not (self._owes_goodbye and self._has_begun):
            return b""
        self._owes_goodbye = False
        return GOAWAY
