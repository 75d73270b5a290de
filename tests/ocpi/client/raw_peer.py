"""A peer made of bare sockets, for everything a proper HTTP server would never do.

It runs on threads, speaks only when its script says so and counts what reached it.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    method: str
    target: str
    lines: tuple[str, ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header spelled exactly like this; None if there is none."""
        found = (line.partition(": ") for line in self.lines)
        return next((value for spelled, _, value in found if spelled == name), None)


@dataclass(slots=True)
class Conversation:
    """One connection to the peer."""

    sock: socket.socket
    peer: "RawPeer"
    pending: bytes = b""

    def read(self) -> Request | None:
        """Wait for one request; None when the client has gone."""
        while b"\r\n\r\n" not in self.pending:
            if not self._receive():
                return None
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        length = Request(method, target, tuple(lines), b"").header("Content-Length")
        while len(self.pending) < int(length or 0):
            if not self._receive():
                return None
        body, self.pending = self.pending[: int(length or 0)], self.pending[int(length or 0) :]
        request = Request(method, target, tuple(lines), body)
        self.peer.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.sock.sendall(data)

    def reset(self) -> None:
        """Hang up so that the client sees a reset, not an end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.sock.close()

    def say_nothing(self) -> None:
        """Let the connection end."""

    def hang(self, seconds: float = 30) -> bool:
        """Say nothing; True when the test is over."""
        return self.peer.over.wait(seconds)

    def _receive(self) -> bool:
        piece = self.sock.recv(65536)
        self.pending += piece
        return bool(piece)


Script = Callable[[Conversation], object]


@dataclass(slots=True)
class RawPeer:
    """A listening socket whose every connection follows the script."""

    script: Script
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    _listener: socket.socket = field(init=False)
    _open: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Listen."""
        self._listener = socket.create_server((self.host, 0))
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up on everybody and wait for the threads."""
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def url(self, path: str = "/ocpi", host: str = "") -> str:
        """Return a URL of this peer, under another host name if asked for."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{host or self.host}:{self.port}{path}"

    def wait_for_request(self) -> None:
        """Return when the first request has arrived."""
        while not self.requests:
            time.sleep(0.005)

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self.over.is_set():
                sock, _ = self._listener.accept()
                self.connections += 1
                self._open.append(sock)
                self._start(lambda sock=sock: self._converse(sock))  # type: ignore[misc]

    def _converse(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            if self.tls is None:
                self.script(Conversation(sock, self))
                return
            with self.tls.wrap_socket(sock, server_side=True) as wrapped:
                self.script(Conversation(wrapped, self))


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Put a well-formed response together."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def always(*responses: bytes) -> Script:
    """Answer every request of a connection with these bytes in turn, the last one for good."""

    def script(conversation: Conversation) -> None:
        queue = list(responses)
        while conversation.read():
            conversation.send(queue.pop(0) if len(queue) > 1 else queue[0])

    return script


def once(response: bytes) -> Script:
    """Answer one request with these bytes and end the connection without announcing it."""

    def script(conversation: Conversation) -> None:
        if conversation.read():
            conversation.send(response)

    return script


def swallow(conversation: Conversation) -> None:
    """Take one request and never answer."""
    conversation.read()
    conversation.hang()


SUCCESS = b'{"status_code":1000,"timestamp":"2026-11-21T05:32:00Z"}'
"""An envelope that says yes."""
