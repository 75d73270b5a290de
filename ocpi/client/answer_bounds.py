"""The bounds of one answer on the wire, before the HTTP library has understood it.

RFC 9110 §15.2 lets a peer send any number of informational answers, RFC 9112 §7.1 chunks,
extensions and trailers without end. What is no body is counted here as it arrives, in pieces, so
that a peer that floods neither keeps the event loop nor fills the memory: its exchange ends, and
everybody else's goes on.
"""

import asyncio
from typing import Final

from aiohttp.client_proto import ResponseHandler
from aiohttp.helpers import set_exception
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader

from ocpi.client.failures import PeerError, ReplyTooLarge, ReplyUnreadable

MOST_INFORMATIONAL: Final = 8
"""Answers 1xx before the one that counts."""

LONGEST_HEAD: Final = 65_536
"""Bytes until the headers of an answer are whole, informational answers and blank lines and all."""

LONGEST_FRAMING: Final = 400_000
"""Bytes of an answer that are no body: headers, sizes and extensions of chunks, trailers.

As much as that may also be compressed bytes that wait for the reader. A body may have another
sixteenth of its own length around it: large ones come in chunks of a hundred bytes and more.
"""

MOST_EXPANSION: Final = 100
"""Times that a body may grow when it is decompressed, beyond its first million bytes."""

_FREE: Final = 1_000_000
_SHARE: Final = 16

_PIECE: Final = 4_096
"""Bytes that are looked at together while headers arrive."""

_SWITCHED: Final = 101
_FINAL: Final = 200


class BoundedAnswers(ResponseHandler):
    """One connection to a peer, which speaks when it is asked, and to the point."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with nobody asked."""
        super().__init__(loop)
        self._answer: StreamReader | None = None
        self._is_asked = False
        self._informational = self._received = 0

    def set_response_params(self, **params: object) -> None:
        """Note that a request goes out: from here on the peer may speak."""
        self._answer = None
        self._is_asked = True
        self._informational = self._received = 0
        super().set_response_params(**params)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Take what arrived; the library asks for what it has put aside with nothing."""
        if self._exception is not None:
            return
        if data and not self._is_awaited():
            # Read with the next request it would be taken for the answer to that.
            self.abort()
            return
        while data and self._answer is None and self._exception is None:
            piece, data = data[:_PIECE], data[_PIECE:]
            self._take(piece)
        if self._exception is None and (data or self._answer is not None):
            self._take(data)

    def close(self) -> None:
        """Hang up; a peer that has not taken a message by now would keep it and the socket."""
        if self.transport is not None and self.transport.get_write_buffer_size():
            self.abort()
        super().close()

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Pass on an answer whose headers are whole; informational ones are counted and dropped."""
        message, payload = data
        if message.code < _FINAL and message.code != _SWITCHED:
            self._informational += 1
            return
        self._answer = payload
        super().feed_data(data, size)

    def _is_awaited(self) -> bool:
        """Tell whether an answer, or the rest of one, may arrive now."""
        return self._is_asked and (self._answer is None or not self._answer.is_eof())

    def _take(self, piece: bytes) -> None:
        self._received += len(piece)
        super().data_received(piece)
        failure = self._failure()
        if failure is not None:
            self._end(failure)

    def _failure(self) -> PeerError | None:
        """Say which bound the answer has passed, or why it cannot be read; None if it can."""
        # The library tells those who wait for headers, but not those who wait for the body.
        if self._exception is not None:
            return ReplyUnreadable(f"{type(self._exception).__name__}: {self._exception}")
        return self._excess()

    def _excess(self) -> PeerError | None:
        if self._informational > MOST_INFORMATIONAL:
            return ReplyUnreadable(f"more than {MOST_INFORMATIONAL} informational answers")
        if self._answer is None:
            if self._received <= LONGEST_HEAD:
                return None
            return ReplyUnreadable(f"no whole headers within {LONGEST_HEAD} bytes")
        body = self._answer.total_bytes
        if self._received - body > LONGEST_FRAMING + body // _SHARE:
            return ReplyUnreadable(f"more than {LONGEST_FRAMING} bytes around the body")
        if body > MOST_EXPANSION * self._received + _FREE:
            return ReplyTooLarge(f"a body that grows more than {MOST_EXPANSION} times")
        return None

    def _end(self, why: PeerError) -> None:
        """Hang up, and tell whoever waits for the answer."""
        self.set_exception(why)
        if self._answer is not None:
            set_exception(self._answer, why)
        self._parser = None  # else it would find, at the end, only that the answer broke off
        if self.transport is not None:
            self.transport.abort()
