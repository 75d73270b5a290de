"""A server that tells what reached it, to the byte: what a proxy makes of a request."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

PATIENCE = 20


@dataclass(slots=True)
class Echo:
    """What the server did: requests begun, bytes of their bodies."""

    port: int
    requests: list[str] = field(default_factory=list)
    body_bytes: int = 0
    go_on: threading.Event = field(default_factory=threading.Event)
    """Set by the test, when a stream may send its second part."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    seen: Echo


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer what was asked: `stream` in two parts, all else with the request itself."""
        self.seen.requests.append(self.path)
        size = self._drain()
        if "stream" in self.path:
            self._stream()
            return
        told = {"target": self.path, "headers": self.headers.items(), "size": size}
        content = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        """Do the same."""
        self.do_GET()

    def do_PUT(self) -> None:
        """Do the same."""
        self.do_GET()

    @property
    def seen(self) -> Echo:
        return cast("_Server", self.server).seen

    def _drain(self) -> int:
        """Read the body, whichever way it comes."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            return self._drain_chunks()
        left = int(self.headers.get("Content-Length") or 0)
        while left and (part := self.rfile.read1(min(left, 65_536))):
            left -= len(part)
            self.seen.body_bytes += len(part)
        return int(self.headers.get("Content-Length") or 0)

    def _drain_chunks(self) -> int:
        total = 0
        while size := int(self.rfile.readline().strip() or b"0", 16):
            self.rfile.read(size + 2)
            total += size
            self.seen.body_bytes += size
        self.rfile.readline()
        return total

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(2):
            part = f"part {number};".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.flush()
            if not self.seen.go_on.wait(PATIENCE):
                return
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_words: object) -> None:
        """Stay silent."""


@contextmanager
def echo() -> Iterator[Echo]:
    """Run the server."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.seen = Echo(server.server_port)
    server.handle_error = lambda *_words: None  # type: ignore[method-assign]  # senders that leave
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.seen
    finally:
        server.seen.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
