"""The hub on a socket of this process: its web server, as in production, on a thread's loop."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server

from settings import asgi
from settings.serve import how_to_serve

_HERE = "127.0.0.1"
_loops: list[asyncio.AbstractEventLoop] = []


@contextmanager
def embedded_hub() -> Iterator[str]:
    """Serve until the end of the block; gives the origin it is served at.

    Nothing notes that this process is up: outages are what tests of them make.
    """
    with socket.socket() as held:  # as the server does: its port is nobody else's meanwhile
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((_HERE, 0))
        port: int = held.getsockname()[1]
        loop = uvloop.new_event_loop()
        _loops[:] = [loop]
        server = Server(
            asgi.application,
            address=_HERE,
            port=port,
            interface=Interfaces.ASGINL,
            log_enabled=False,
            **how_to_serve(),
        )
        thread = threading.Thread(target=_serve, args=(loop, server), name="hub", daemon=True)
        thread.start()
        _wait_for(port)
        yield f"http://{_HERE}:{port}"
        loop.call_soon_threadsafe(server.stop)
        thread.join()


def _serve(loop: asyncio.AbstractEventLoop, server: Server) -> None:
    asyncio.set_event_loop(loop)
    loop.run_until_complete(server.serve())
    loop.close()


def _wait_for(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection((_HERE, port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < end, "the hub does not listen"
            time.sleep(0.005)
        else:
            return


@contextmanager
def other_threads() -> Iterator[None]:
    """Have requests answered by threads that begin meanwhile: a profiler follows no older ones."""
    usual = asgi._threads
    with ThreadPoolExecutor(1) as others:
        asgi._threads = others
        try:
            yield
        finally:
            asgi._threads = usual


def on_its_loop(do: Callable[[], object]) -> None:
    """Call something on the thread of the hub's loop, and wait until that is done."""

    async def done() -> None:
        do()

    asyncio.run_coroutine_threadsafe(done(), _loops[0]).result(10)
