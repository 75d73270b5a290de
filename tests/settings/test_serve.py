"""The hub under its real web server: raw paths, overlong bodies, senders that leave."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPResponse
from pathlib import Path

import pytest
from django.db import connection

from hub.models import Exchange, Presence
from ocpi.transport.authorization import header
from sandbox import SandboxPlatform, object_path
from tests.cast import CPA, HUB, Cast, a_location, command

MOST = 200_000
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def port() -> Iterator[int]:
    """Run `python -m settings.serve` on a free port against the test database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    database = connection.settings_dict
    account = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    address = f"{account}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "settings.base",
        "DATABASE_URL": f"postgresql://{address}",
        "HUB_PUBLIC_URL": f"http://127.0.0.1:{number}",
        "HUB_BIND_PORT": str(number),
        "HUB_WEB_WORKERS": "1",
        "HUB_MAX_BODY_BYTES": str(MOST),
        "HUB_DATABASE_CONNECTIONS": "2",
        "HUB_MESSAGE_LOG_DAYS": "14",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "settings.serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_for(number, process)
        yield number
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def _wait_for(number: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", number), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not start")


def _send(number: int, data: bytes, *, leave: bool = False) -> tuple[int, bytes]:
    """Write bytes to the server; return status and body of its answer unless leaving at once."""
    with socket.create_connection(("127.0.0.1", number), timeout=10) as connected:
        connected.sendall(data)
        if leave:
            return 0, b""
        answer = HTTPResponse(connected)
        answer.begin()
        return answer.status, answer.read()


@pytest.mark.timeout(120)
def test_a_platform_talks_to_the_real_server(port: int) -> None:
    """Handshake, encoded ids, odd bytes, overlong bodies and a sender that hangs up."""
    with ExitStack() as stack:
        cast = stack.enter_context(Cast(f"http://127.0.0.1:{port}/ocpi/versions"))
        cpo = cast["P1"]
        _keeps_encoded_ids(cpo)
        _refuses_overlong_bodies(cpo, port)
        _survives_strange_bytes(port)
        _forgets_senders_that_leave(cpo, port)


@pytest.mark.timeout(120)
@pytest.mark.security("S-08")
def test_strangers_on_raw_sockets_hold_nothing_up(port: int) -> None:
    """Silent and half requests end, HTTP/2 is not spoken, long bodies of strangers are not read."""
    _speaks_one_protocol(port)
    _refuses_long_heads(port)
    _reads_no_long_body_of_a_stranger(port)
    _ends_the_silent(port)


@pytest.mark.timeout(120)
def test_the_log_is_written_by_a_process_beside_the_server(port: int) -> None:
    """It is started with the server, and again when it was killed."""
    assert _send(port, b"GET /ocpi/versions HTTP/1.1\r\nHost: hub\r\n\r\n")[0] == 401
    _wait_until(lambda: Exchange.objects.count() == 1)
    [first] = _log_processes(port)
    os.kill(first, signal.SIGKILL)
    assert _send(port, b"GET /ocpi/versions HTTP/1.1\r\nHost: hub\r\n\r\n")[0] == 401
    _wait_until(lambda: Exchange.objects.count() == 2)
    assert first not in _log_processes(port)


def _log_processes(port: int) -> list[int]:
    """Return the log processes beside the server at a port."""
    return [
        int(each.name)
        for each in Path("/proc").glob("[0-9]*")
        if b"settings.log_process" in _read(each / "cmdline")
        and b"HUB_BIND_PORT=%d\0" % port in _read(each / "environ")
    ]


def _read(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _speaks_one_protocol(port: int) -> None:
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connected:
        connected.sendall(preface)
        assert connected.recv(100)[:9] in {b"", b"HTTP/1.1 "}
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    assert _send(port, b"GET /ocpi HTTP/1.1\r\nHost: hub\r\n%b\r\n" % upgrade)[0] == 401


def _refuses_long_heads(port: int) -> None:
    for size, status in ((5_000, 414), (60_000, 414), (70_000, 414)):
        target = b"/ocpi/%b" % (b"x" * size)
        found, _ = _send(port, b"GET %b HTTP/1.1\r\nHost: hub\r\n\r\n" % target)
        assert found in {status, 431}, size
    for size in (33_000, 600_000):
        long = b"X-Long: %b\r\n" % (b"x" * size)
        assert _send(port, b"GET /ocpi HTTP/1.1\r\nHost: hub\r\n%b\r\n" % long)[0] == 431
    half = b"GET /ocpi HTTP/1.1\r\nHost: hub\r\nX-Long: %b" % (b"x" * 100_000)
    assert _send(port, half)[0] == 431


def _reads_no_long_body_of_a_stranger(port: int) -> None:
    """The answer comes although the body does not; the connection ends."""
    head = b"PUT /ocpi/2.2.1/receiver/locations/NL/CPA/L1 HTTP/1.1\r\nHost: hub\r\n"
    token = b"Authorization: %b\r\n" % header("made-up").encode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connected:
        connected.sendall(head + token + b"Content-Length: 4900000\r\n\r\n" + b"x" * 70_000)
        answer = HTTPResponse(connected)
        answer.begin()
        assert (answer.status, answer.headers["Connection"]) == (401, "close")


def _ends_the_silent(port: int) -> None:
    """600 connections that say nothing, or not enough, keep nobody from an answer, and end."""
    with ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            for _ in range(600)
        ]
        for each in silent[::2]:
            each.sendall(b"GET /ocpi/versions HTTP/1.1\r\nHost:")
        assert _send(port, b"GET /ocpi HTTP/1.1\r\nHost: hub\r\n\r\n")[0] == 401
        assert {each.recv(1_000)[:9] for each in silent} <= {b"", b"HTTP/1.1 "}


def _keeps_encoded_ids(cpo: SandboxPlatform) -> None:
    for identifier in ("a/b c", "100%", "caf\u00e9", "NL*1+2"):
        path = object_path(CPA, identifier)
        body = a_location(id=identifier)
        put = cpo.hub.put("locations", "RECEIVER", path, body, to=HUB, sender=CPA)
        assert put.http_status == 201, str(put)
        got = cpo.hub.get("locations", "RECEIVER", path, to=HUB, sender=CPA)
        assert got.data["id"] == identifier


def _refuses_overlong_bodies(cpo: SandboxPlatform, port: int) -> None:
    path = object_path(CPA, "L1")
    fits = a_location(x="y" * (MOST - 5_000))
    assert cpo.hub.put("locations", "RECEIVER", path, fits, to=HUB, sender=CPA).http_status == 201
    for size in (MOST, 10 * MOST):
        body = a_location(x="y" * size)
        result = cpo.hub.put("locations", "RECEIVER", path, body, to=HUB, sender=CPA)
        assert (result.http_status, result.status_code) == (413, 2001)
    head = b"PUT /ocpi/2.2.1/receiver/locations/NL/CPA/L1 HTTP/1.1\r\nHost: hub\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    status, answered = _send(port, chunked)
    assert (status, json.loads(answered)["status_code"]) == (401, 2001)


def _survives_strange_bytes(port: int) -> None:
    for target in (
        b"/ocpi/%FF%ED%A0%80",
        b"/ocpi/%00",
        b"/ocpi/2.2.1/sender/locations?%zz",
        b"/ocpi",
    ):
        status, answered = _send(port, b"GET %b HTTP/1.1\r\nHost: hub\r\n\r\n" % target)
        assert (status, json.loads(answered)["status_code"]) == (401, 2001), target


def _forgets_senders_that_leave(cpo: SandboxPlatform, port: int) -> None:
    head = b"PUT /ocpi/2.2.1/receiver/locations/NL/CPA/L2 HTTP/1.1\r\nHost: hub\r\n"
    for _ in range(20):
        _send(port, head + b'Content-Length: 900\r\n\r\n{"id":', leave=True)
    found = cpo.hub.get("locations", "RECEIVER", "NL/CPA/L2", to=HUB, sender=CPA)
    assert (found.http_status, found.status_code) == (404, 2003)
    assert command("platforms")


@pytest.mark.security("S-30")
def test_a_web_process_writes_down_that_it_is_there(port: int) -> None:
    """Without that no gap is seen, after which all owners are read again."""
    assert port
    end = time.monotonic() + 30
    while not Presence.objects.exists():
        assert time.monotonic() < end
        time.sleep(0.1)
