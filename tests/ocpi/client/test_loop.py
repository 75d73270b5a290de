"""The loop thread: started when needed, shared by threads, new in every forked child."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator

import pytest

from ocpi.client import OcpiClient, Peer
from ocpi.client.loop import LoopThread
from tests.ocpi.client.conftest import StartPeer
from tests.ocpi.client.raw_peer import SUCCESS, always, http


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """Make a loop thread and end it."""
    loop = LoopThread("test-loop")
    yield loop
    loop.close()


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "test-loop"]


async def _thread_name() -> str:
    return threading.current_thread().name


def test_thread_starts_with_the_first_coroutine(loop: LoopThread) -> None:
    """A process that never calls a peer has no extra thread; many calls have one."""
    assert (loop.started, _threads()) == (False, [])

    names = [loop.run(_thread_name()) for _ in range(3)]

    assert names == ["test-loop"] * 3
    assert (loop.started, _threads()) == (True, ["test-loop"])


def test_result_and_error_reach_the_caller(loop: LoopThread) -> None:
    """What the coroutine returns or raises, `run` returns or raises."""

    async def fail() -> None:
        raise LookupError("nothing")

    assert loop.submit(_thread_name()).result(1) == "test-loop"
    with pytest.raises(LookupError, match="nothing"):
        loop.run(fail())


def test_caller_that_stops_waiting_cancels(loop: LoopThread) -> None:
    """A timeout of the caller ends the coroutine as well."""
    ended = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        loop.run(wait(), timeout=0.05)

    assert ended.wait(1)


def test_run_on_its_own_thread_is_refused(loop: LoopThread) -> None:
    """Waiting for oneself would never end."""

    async def inside() -> None:
        loop.run(_thread_name())

    with pytest.raises(RuntimeError, match="await instead"):
        loop.run(inside())


def test_closing_ends_thread_and_tasks(loop: LoopThread) -> None:
    """After close nothing runs, and closing again is no error."""
    waiting = loop.submit(asyncio.sleep(30))
    loop.run(_thread_name())

    loop.close()
    loop.close()

    assert waiting.cancelled()
    assert _threads() == []
    with pytest.raises(RuntimeError, match="closed"):
        loop.run(_thread_name())


def test_closing_what_never_started_is_nothing(loop: LoopThread) -> None:
    """No thread is started in order to be stopped."""
    loop.close()

    assert not loop.started


def _in_child(work: "OcpiClient", url: str, peer: Peer) -> int:
    """Fork, let the child make a request, return its exit status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if work.request("GET", url, peer=peer).ok else 2
            work.close()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_forked_child_has_a_loop_of_its_own(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """A child of a process that has called peers calls them itself; the parent goes on."""
    receiver = start_peer(always(http(SUCCESS)))
    assert client.request("GET", receiver.url(), peer=peer).ok

    statuses = [_in_child(client, receiver.url(), peer) for _ in range(2)]

    assert statuses == [0, 0]
    assert client.request("GET", receiver.url(), peer=peer).ok
    assert (len(receiver.requests), receiver.connections) == (4, 3)


def test_child_forked_before_the_first_request_works(
    client: OcpiClient, start_peer: StartPeer, peer: Peer
) -> None:
    """A server that configures, forks and then serves needs no care."""
    receiver = start_peer(always(http(SUCCESS)))

    assert _in_child(client, receiver.url(), peer) == 0
    assert client.request("GET", receiver.url(), peer=peer).ok


PROGRAM = """
    import logging, os, sys
    from ocpi.client import AddressPolicy, Limits, Peer, configure, shared

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # a slow machine is no fault
    configure(AddressPolicy(allow_private=True, allow_http=True), Limits(total=1.0))
    assert shared().request("GET", sys.argv[1], peer=Peer("t")).http_status == 200
    if sys.argv[2] == "fork" and os.fork() == 0:
        assert shared().request("GET", sys.argv[1], peer=Peer("t")).http_status == 200
        sys.exit()
    if sys.argv[2] == "fork":
        os.wait()
        assert shared().request("GET", sys.argv[1], peer=Peer("t")).http_status == 200
    print("done")
"""


@pytest.mark.parametrize("mode", ["plain", "fork"])
def test_process_ends_without_a_word(start_peer: StartPeer, mode: str) -> None:
    """Leaving without closing is tidy: no warning, no traceback, no hang, forked or not."""
    receiver = start_peer(always(http(SUCCESS)))
    command = [sys.executable, "-X", "dev", "-W", "error", "-W", "ignore::DeprecationWarning"]

    ended = subprocess.run(
        [*command, "-c", textwrap.dedent(PROGRAM), receiver.url(), mode],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
