"""What the documented proxies let through to the hub, and as what."""

import json
import re
import ssl
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from settings.serve import MOST_SECONDS_FOR_A_HEAD
from tests.proxies.echo import Echo
from tests.proxies.proxy import CONSOLE, HUB, ROOT, Answer, Proxy, head, proxy

pytestmark = [pytest.mark.security("S-28"), pytest.mark.timeout(120)]
_LIED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example.com",
    "Forwarded": "for=203.0.113.9;proto=http;host=evil.example.com",
    "X-Real-IP": "203.0.113.9",
}


def _told(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer
    told: dict[str, Any] = json.loads(answer.content)
    told["headers"] = {name.lower(): value for name, value in told["headers"]}
    return told


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_of_today_is_spoken(before_echo: Proxy, version: ssl.TLSVersion) -> None:
    """TLS 1.2 and 1.3 are spoken, with a certificate for the name that was asked for."""
    context = before_echo.authority.trusting()
    context.minimum_version = context.maximum_version = version
    with before_echo.tls(HUB, context) as connected:
        assert connected.version() == version.name.replace("_", ".")


def test_older_tls_is_refused(before_echo: Proxy) -> None:
    """A client that speaks TLS 1.1 at most gets no connection."""
    context = before_echo.authority.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        before_echo.tls(HUB, context)


def test_another_name_gets_no_handshake(before_echo: Proxy) -> None:
    """Who asks for a name that is not served learns neither certificate nor answer."""
    context = before_echo.authority.trusting()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, ConnectionError)):
        before_echo.tls("other.example.com", context)


def test_ocpi_over_plain_http_is_refused(before_echo: Proxy, seen: Echo) -> None:
    """A token that travelled in the clear is not sent on by a redirect, nor heard by the hub."""
    before = len(seen.requests)
    answer = before_echo.ask_plainly("/ocpi/versions")
    assert answer.status == 403
    assert "location" not in answer.headers
    assert len(seen.requests) == before


def test_the_console_over_plain_http_is_redirected(before_echo: Proxy) -> None:
    """A person who types the name alone arrives, over https, on the same host."""
    answer = before_echo.ask_plainly("/admin/login/?next=/admin/", CONSOLE)
    assert answer.status in {301, 308}
    assert answer.headers["location"] == f"https://{CONSOLE}/admin/login/?next=/admin/"


@pytest.mark.parametrize(
    "target",
    [
        "/ocpi/2.2.1/receiver/tokens/DE/MSA/a%2Fb",
        "/ocpi/2.2.1/a//b",
        "/ocpi/2.2.1/%20%C3%A4%7E~?x=%2F&y=a+b",
        "/ocpi/2.2.1/a%2f..%2fb/./c",
    ],
)
def test_a_path_goes_on_as_it_came(before_echo: Proxy, target: str) -> None:
    """An id with an encoded slash is one segment for the hub as it was for its sender."""
    assert _told(before_echo.ask(target))["target"] == target


def test_what_a_client_says_of_itself_is_not_believed(before_echo: Proxy) -> None:
    """The forwarded headers of a client are replaced: the hub sees whom the proxy saw."""
    headers = _told(before_echo.ask("/ocpi/versions", headers=_LIED))["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"
    assert headers["host"] == HUB
    assert not {"x-forwarded-host", "forwarded", "x-real-ip"} & headers.keys()


def test_a_client_cannot_have_our_headers_taken_away(before_echo: Proxy) -> None:
    """A header named in Connection ends at the proxy; those the proxy sets go on all the same."""
    named = {"Connection": "close, X-Forwarded-For, X-Forwarded-Proto", **_LIED}
    headers = _told(before_echo.ask("/ocpi/versions", headers=named))["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"


def test_headers_of_one_hop_end_at_the_proxy(before_echo: Proxy) -> None:
    """What is between a client and the proxy is not for the hub."""
    hop = {"Connection": "keep-alive, Upgrade", "Upgrade": "h2c", "Keep-Alive": "9", "TE": "gzip"}
    headers = _told(before_echo.ask("/ocpi/versions", headers=hop))["headers"]
    assert not {"upgrade", "keep-alive"} & headers.keys()
    assert headers.get("te", "trailers") == "trailers"
    assert headers.get("connection", "") in {"", "keep-alive"}


def test_what_identifies_a_message_goes_on(before_echo: Proxy) -> None:
    """Token, ids and parties arrive as they were sent."""
    sent = {
        "Authorization": "Token YQ==", "X-Request-ID": "r 1", "X-Correlation-ID": "c/1",
        "OCPI-from-party-id": "CPA", "OCPI-to-party-id": "MSA",
    }  # fmt: skip
    headers = _told(before_echo.ask("/ocpi/versions", headers=sent))["headers"]
    assert {name: headers[name.lower()] for name in sent} == sent


@pytest.mark.parametrize(
    "target",
    ["/admin/", "/admin", "//admin/", "/%61dmin/", "/ocpi/../admin/", "/ocpi/%2e%2e/admin/login/",
     "/admin/../ocpi/versions", "/admin/..%2focpi/versions", "/./admin/", "/", "/Ocpi/", "/ocpix"],
)  # fmt: skip
def test_the_console_is_not_on_the_hubs_host(before_echo: Proxy, seen: Echo, target: str) -> None:
    """However it is spelled, nothing that the hub would take for its console comes through."""
    before = len(seen.requests)
    status = before_echo.ask(target).status
    reached = seen.requests[before:]
    assert status in ({200} if reached else {400, 404})
    assert all(each.startswith(("/ocpi/", "/ocpi?")) for each in reached)


@pytest.mark.parametrize("target", ["/ocpi/versions", "/admin/../ocpi", "/", "/adminx"])
def test_ocpi_is_not_on_the_consoles_host(before_echo: Proxy, seen: Echo, target: str) -> None:
    """A console that is closed to the world does not open a second way to OCPI."""
    before = len(seen.requests)
    status = before_echo.ask(target, host=CONSOLE).status
    reached = seen.requests[before:]
    assert status in ({200} if reached else {400, 404})
    assert all(each.startswith("/admin/") for each in reached)


@pytest.mark.parametrize("size, statuses", [(10_000, {200, 414}), (40_000, {414, 431})])
def test_a_long_url_ends_at_the_proxy(before_echo: Proxy, size: int, statuses: set[int]) -> None:
    """What no resource has for a URL is refused; the hub itself refuses beyond 4,000 characters."""
    answer = before_echo.ask(f"/ocpi/{'x' * size}")
    assert answer.status in statuses


def test_long_headers_end_at_the_proxy(before_echo: Proxy, seen: Echo) -> None:
    """Headers that no message has do not reach the hub."""
    before = len(seen.requests)
    assert before_echo.ask("/ocpi/x", headers={"X-Long": "x" * 50_000}).status in {400, 431}
    assert len(seen.requests) == before


def test_a_body_beyond_the_hubs_limit_ends_at_the_proxy(before_echo: Proxy, seen: Echo) -> None:
    """What is far beyond HUB_MAX_BODY_BYTES is cut off on its way, announced or not."""
    before, body = seen.body_bytes, b"x" * 7_000_000
    assert before_echo.ask("/ocpi/x", method="PUT", body=body).status in {413, 502}
    with before_echo.tls() as connected:
        chunked = head("/ocpi/x", HUB, "PUT", headers={"Transfer-Encoding": "chunked"})
        with suppress(OSError):
            connected.sendall(chunked + b"6acfc0\r\n" + body)
            assert connected.recv(12)[9:] in {b"413", b"502"}
    assert seen.body_bytes - before < 2 * 6_400_000


def test_a_body_goes_on_as_it_comes(before_echo: Proxy, seen: Echo) -> None:
    """The hub may refuse a stranger before the proxy has the whole body."""
    before = len(seen.requests)
    with before_echo.tls() as connected:
        connected.sendall(head("/ocpi/x", HUB, "PUT", b"x" * 100_000) + b"x" * 10)
        end = time.monotonic() + 20
        while len(seen.requests) == before:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_the_proxy_gives_quiet_connections_up_before_the_hub_does(name: str) -> None:
    """Who writes at the moment the other side closes loses a message."""
    folder, word = {
        "nginx": ("nginx/hub.conf", "keepalive_timeout"),
        "caddy": ("caddy/Caddyfile", "keepalive"),
    }[name]
    found = re.search(rf"\b{word} (\d+)s", (ROOT / "deploy" / folder).read_text(encoding="utf-8"))
    assert found
    assert int(found[1]) < MOST_SECONDS_FOR_A_HEAD


def test_two_lengths_are_one_too_many(before_echo: Proxy) -> None:
    """A request that can be read in two ways is refused, or read in one: nothing is smuggled."""
    body = b"0\r\n\r\nGET /admin/ HTTP/1.1\r\nHost: x\r\n\r\n"
    both = {"Transfer-Encoding": "chunked", "Content-Length": str(len(body))}
    answer = before_echo.ask("/ocpi/x", method="POST", body=body, headers=both)
    assert answer.status in {200, 400}
    if answer.status == 200:
        headers = _told(answer)["headers"]
        assert not {"content-length", "transfer-encoding"} <= headers.keys()


def test_files_come_while_they_are_made(before_echo: Proxy, seen: Echo) -> None:
    """The console's files are not gathered at the proxy: the first part comes before the last."""
    seen.go_on.clear()
    with before_echo.tls(CONSOLE) as connected:
        connected.sendall(head("/admin/stream", CONSOLE))
        received = b""
        while b"part 0;" not in received:
            received += connected.recv(1_000)
        assert b"part 1;" not in received
        seen.go_on.set()
        while b"part 1;" not in received:
            received += connected.recv(1_000)


@pytest.fixture(scope="module")
def hurried(name: str, seen: Echo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The same proxy with less patience, so that a test need not have as much."""
    sooner = {
        "nginx": {"header_timeout 10s": "header_timeout 1s", "body_timeout 10s": "body_timeout 1s"},
        "caddy": {"read_header 10s": "read_header 1s", "read_body 10s": "read_body 1s"},
    }
    with proxy(name, seen.port, tmp_path_factory.mktemp(f"{name}-h"), sooner[name]) as found:
        yield found


@pytest.mark.parametrize(
    "data",
    [b"", b"GET /ocpi/versions HTTP/1.1\r\nHo", head("/ocpi/x", HUB, "PUT", b"x" * 100) + b"x"],
    ids=["nothing", "half a head", "half a body"],
)
def test_the_slow_are_cut_off(hurried: Proxy, data: bytes) -> None:
    """A connection that says nothing, or begins and does not go on, ends."""
    with hurried.tls() as connected:
        connected.sendall(data)
        connected.settimeout(20)
        received = b""
        with suppress(ConnectionError, ssl.SSLError):  # a TimeoutError is neither: not cut off
            while part := connected.recv(1_000):
                received += part
    assert b" 200 " not in received


def test_no_url_is_written_down(name: str, seen: Echo, tmp_path: Path) -> None:
    """OCPI's URLs name drivers: no file of a proxy has one, where its others log all requests."""
    with proxy(name, seen.port, tmp_path, {}) as found:
        for host, path in (
            (HUB, "/ocpi/2.2.1/tokens/DE/MSA/04A2B7C9"),
            (CONSOLE, "/admin/?q=04A2B7C9"),
        ):
            assert found.ask(path, host=host).status == 200
            found.ask_plainly(path, host)
    written = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert written
    assert [each.name for each in written if b"04A2B7C9" in each.read_bytes()] == []
