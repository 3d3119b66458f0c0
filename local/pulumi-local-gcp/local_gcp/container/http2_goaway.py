"""As much of HTTP/2 as it takes to say goodbye on somebody else's connection.

A server that is about to go tells its clients so with a GOAWAY frame that names the highest stream there can
be: they open no more streams on the connection, finish those that they have, and open another connection
(RFC 9113, section 6.8). Frames begin with their length, so another may be put between any two of them.
"""

from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n"
GOAWAY: Final = bytes([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
_HEADER_BYTES: Final = 9


class Frames:
    """Follows the frames that a server sends, and puts a GOAWAY after the next one when asked to.

    Invariant: what `feed` and `say_goodbye` return, in their order, is what the client gets; the header of a
    frame is held back until it is whole, so between two calls the client has whole headers only.
    """

    def __init__(self) -> None:
        self._held = b""
        self._missing_bytes = 0  # of the frame whose header was passed on
        self._has_begun = False  # a server's first frame is always its own
        self._owes_goodbye = False

    def feed(self, chunk: bytes) -> bytes:
        """Take what the server sent and return what goes to the client now."""
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
        """Return what goes to the client at once; nothing in the middle of a frame, whose end it follows."""
        self._owes_goodbye = True
        return self._goodbye() if self._missing_bytes == 0 else b""

    def _goodbye(self) -> bytes:
        if not (self._owes_goodbye and self._has_begun):
            return b""
        self._owes_goodbye = False
        return GOAWAY
