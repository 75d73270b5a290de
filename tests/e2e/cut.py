"""A connection that can be cut: a TCP relay between a server and those who need it."""

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Self


class Cut:
    """Relays a port of ours to an address; while it is cut nobody gets through."""

    def __init__(self, host: str, port: int) -> None:
        """Remember where the server is; `port` is ours once entered."""
        self._target = (host, port)
        self._is_cut = threading.Event()
        self._stop = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.cut()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def cut(self) -> None:
        """End every connection and refuse new ones."""
        self._is_cut.set()
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let everybody through again."""
        self._is_cut.clear()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.1)[0]:
                continue
            client, _ = self._listener.accept()
            if self._is_cut.is_set():
                client.close()
            else:
                self._start(partial(self._relay, client))

    def _relay(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server:
            both = {client: server, server: client}
            self._open |= both.keys()
            with suppress(OSError):
                while not self._is_cut.is_set() and self._pass_on(both):
                    pass
            self._open -= both.keys()

    def _pass_on(self, both: dict[socket.socket, socket.socket]) -> bool:
        for source in select.select(list(both), [], [], 0.5)[0]:
            chunk = source.recv(65_536)
            if not chunk:
                return False
            both[source].sendall(chunk)
        return True
