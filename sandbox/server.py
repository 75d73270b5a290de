"""The HTTP server of a simulated platform: raw paths in, exact bytes out, every thread joined.

It knows HTTP/1.1 only; what to answer is decided by the function it is given.
"""

import os
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

from requests.structures import CaseInsensitiveDict

from sandbox.recorder import Seen


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response: Content-Length is added unless the headers carry one."""

    http_status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Call:
    """One request being answered; a responder says what happens to it on the wire."""

    def __init__(self, handler: "_Handler", seen: Seen) -> None:
        self._handler = handler
        self.seen = seen

    def usual(self) -> Answer:
        """Give what the platform would answer if it behaved; the request takes effect."""
        return self._handler.server.answer(self.seen)

    def pause(self, seconds: float) -> None:
        """Wait; when the server is stopped meanwhile, the call ends without an answer."""
        if self._handler.server.stopping.wait(seconds):
            raise ConnectionAbortedError

    def send(self, answer: Answer) -> None:
        """Send a whole response."""
        self._handler.send(answer)

    def send_bytes(self, chunk: bytes) -> None:
        """Send bytes as they are, at once."""
        self._handler.wfile.write(chunk)
        self._handler.wfile.flush()

    def hang_up(self) -> None:
        """Close the connection in good order once this request is over."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """Drop the connection with a TCP reset, without a byte of answer."""
        self._handler.close_connection = True
        connection = self._handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # socket.close() would wait for the streams made from it; only the bare descriptor resets.
        os.close(connection.detach())


Responder = Callable[[Call], None]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "SandboxServer"

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # The base class repairs self.path; the request line is what the peer really sent.
        raw_path = self.requestline.split(" ")[1]
        headers = CaseInsensitiveDict(self.headers.items())
        self.server.handle_seen(Call(self, Seen(self.command, raw_path, headers, body)))

    def send(self, answer: Answer) -> None:
        headers = CaseInsensitiveDict(answer.headers)
        headers.setdefault("Content-Length", str(len(answer.body)))
        self.send_response_only(answer.http_status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Print nothing: what happened is in the records."""


class SandboxServer(ThreadingHTTPServer):
    """A threading server that can be stopped completely, connections and pauses included."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        answer: Callable[[Seen], Answer],
        handle_seen: Callable[[Call], None],
    ) -> None:
        super().__init__(address, _Handler)
        self.answer = answer
        self.handle_seen = handle_seen
        self.stopping = Event()
        self.failures: list[Exception] = []
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._loop = Thread(target=self._serve, name="sandbox")

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.server_port

    def start(self) -> None:
        """Serve in threads of its own."""
        self._loop.start()

    def stop(self) -> None:
        """Stop serving, cut open connections, join every thread."""
        self.stopping.set()
        with suppress(OSError):  # one more request, which is not served, ends the waiting
            socket.create_connection((self.server_name, self.port), timeout=1).close()
        self._loop.join()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def _serve(self) -> None:
        """Take requests as they come; `serve_forever` would look for its end by a clock."""
        while not self.stopping.is_set():
            self.handle_request()

    def verify_request(self, request: object, client_address: object) -> bool:
        """Serve nothing any more once this is to end."""
        del request, client_address
        return not self.stopping.is_set()

    def server_bind(self) -> None:
        """Bind without the base class's reverse look-up of the host name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = address = self.socket.getsockname()
        self.server_name, self.server_port = address[:2]

    def process_request(self, request: object, client_address: object) -> None:
        """Remember the connection, then serve it in its thread."""
        if isinstance(request, socket.socket):
            with self._lock:
                self._open.add(request)
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        """Forget the connection, then close it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)  # type: ignore[arg-type]

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep what went wrong, unless the peer just went away."""
        del request, client_address
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.failures.append(error)
