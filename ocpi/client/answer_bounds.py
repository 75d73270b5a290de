"""Bounds of one answer, held while its bytes arrive.

RFC 9110 §15.2 lets a peer send any number of informational answers, RFC 9112 §7.1 chunks,
extensions and trailers without end, and the HTTP library reads on as long as any come. So all but
the body is counted here, piece by piece: a peer that floods the hub ends its own exchange, and
neither keeps the event loop busy nor fills the memory.
"""

import asyncio
from typing import Final

from aiohttp.client_proto import ResponseHandler
from aiohttp.helpers import set_exception
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader

from ocpi.client.failures import PeerError, ReplyTooLarge, ReplyUnreadable

MOST_INFORMATIONAL: Final = 8
"""Answers 1xx before the final one."""

LONGEST_HEAD: Final = 65_536
"""Bytes until the headers of the final answer are whole; those of informational ones count too."""

LONGEST_FRAMING: Final = 400_000
"""Bytes of an answer that are no body: headers, sizes and extensions of chunks, trailers.

Counted are bytes received less bytes of the body that the library has handed on, so that
compressed bytes it still holds count as well. A sixteenth of the body comes on top: if its chunks
have a hundred bytes, six of them are around each.
"""

MOST_EXPANSION: Final = 100
"""Times that a body may grow when it is decompressed; its first million bytes are free."""

_UNBOUNDED_EXPANSION: Final = 1_000_000
_BODY_SHARE_FOR_FRAMING: Final = 16

_HEAD_PIECE: Final = 4_096
"""Bytes parsed at once while headers arrive: by so many a bound may be passed unnoticed."""

_SWITCHING_PROTOCOLS: Final = 101
_FIRST_FINAL_CODE: Final = 200


class BoundedAnswers(ResponseHandler):
    """A connection to a peer that ends when an answer passes a bound, or comes unasked."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._answer: StreamReader | None = None
        self._is_asked = False
        self._informational = self._received = 0

    def set_response_params(self, **params: object) -> None:
        """Begin to count anew: a request goes out, and its answer may arrive from now on."""
        self._answer = None
        self._is_asked = True
        self._informational = self._received = 0
        super().set_response_params(**params)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; with b"" the library goes on with what it has put aside."""
        if self._exception is not None:
            return
        if data and not self._may_arrive():
            # Left unread, it would be taken for the answer to the next request.
            self.abort()
            return
        while data and self._answer is None and self._exception is None:
            piece, data = data[:_HEAD_PIECE], data[_HEAD_PIECE:]
            self._parse(piece)
        if self._exception is None and (data or self._answer is not None):
            self._parse(data)

    def close(self) -> None:
        """Close, at once if a request is not wholly sent: its peer may never take the rest."""
        if self.transport is not None and self.transport.get_write_buffer_size():
            self.abort()
        super().close()

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Pass on an answer whose headers are whole; informational ones are counted and dropped."""
        message, payload = data
        if message.code < _FIRST_FINAL_CODE and message.code != _SWITCHING_PROTOCOLS:
            self._informational += 1
            return
        self._answer = payload
        super().feed_data(data, size)

    def _may_arrive(self) -> bool:
        """Whether an answer, or the rest of one, is expected."""
        return self._is_asked and (self._answer is None or not self._answer.is_eof())

    def _parse(self, piece: bytes) -> None:
        self._received += len(piece)
        super().data_received(piece)
        failure = self._failure()
        if failure is not None:
            self._fail(failure)

    def _failure(self) -> PeerError | None:
        """Return why the answer cannot be read any further; None if it can."""
        # If parsing fails, the library lets those know who wait for headers, not for the body.
        if self._exception is not None:
            return ReplyUnreadable(f"{type(self._exception).__name__}: {self._exception}")
        return self._passed_bound()

    def _passed_bound(self) -> PeerError | None:
        if self._informational > MOST_INFORMATIONAL:
            return ReplyUnreadable(f"more than {MOST_INFORMATIONAL} informational answers")
        if self._answer is None:
            if self._received <= LONGEST_HEAD:
                return None
            return ReplyUnreadable(f"no whole headers within {LONGEST_HEAD} bytes")
        body = self._answer.total_bytes
        if self._received - body > LONGEST_FRAMING + body // _BODY_SHARE_FOR_FRAMING:
            return ReplyUnreadable(f"more than {LONGEST_FRAMING} bytes around the body")
        if body > MOST_EXPANSION * self._received + _UNBOUNDED_EXPANSION:
            return ReplyTooLarge(f"a body that grows more than {MOST_EXPANSION} times")
        return None

    def _fail(self, failure: PeerError) -> None:
        """Hang up, and raise this error wherever headers or body are awaited."""
        self.set_exception(failure)
        if self._answer is not None:
            set_exception(self._answer, failure)
        self._parser = None  # else it would report at the end that the answer broke off
        if self.transport is not None:
            self.transport.abort()
