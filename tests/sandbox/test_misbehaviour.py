"""Misbehaviours do on the wire what their names say, and end when they are cancelled."""

import socket
import threading
import time

import pytest
from requests import ConnectionError as NoConnection
from requests import ReadTimeout
from requests.exceptions import ChunkedEncodingError

from sandbox import Call, Responder, Result, SandboxPlatform
from sandbox import misbehaviour as does

PATH = "NL/CPA/L1"


def put(platform: SandboxPlatform) -> Result:
    """Push a small location."""
    return platform.hub.put("locations", "RECEIVER", PATH, {"id": "L1"})


def is_cut_off(platform: SandboxPlatform, url: str) -> bool:
    """Ask, and return whether the connection broke before there was an answer."""
    try:
        platform.hub.call("GET", url, token="x")
    except NoConnection:
        return True
    return False


def test_rules_apply_to_the_requests_meant(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """A match is a method, a part of the path, both, or a predicate; the newest rule wins."""
    emsp.answer("PUT", does.refuse(2001))
    emsp.answer("PUT /NL/CPA/L2", does.refuse(3000))
    emsp.answer(lambda seen: seen.query == {"x": "1"}, does.html(503))

    answers = [
        connected.hub.put("locations", "RECEIVER", suffix, {"id": "L"})
        for suffix in ("NL/CPA/L1", "NL/CPA/L2", "NL/CPA/L3?x=1")
    ]

    assert [answer.status_code for answer in answers] == [2001, 3000, None]
    assert connected.hub.get("locations", "RECEIVER", "NL/CPA/L2").http_status == 404


def test_a_rule_ends_with_its_block_or_when_all_are_cleared(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """After the block the platform behaves again, and what was refused took no effect."""
    with emsp.answer("/locations", does.unauthorized()):
        assert put(connected).http_status == 401
    assert put(connected).http_status == 201

    emsp.answer("", does.detail(403))
    assert (put(connected).http_status, put(connected).json) == (403, {"detail": "Forbidden"})
    emsp.rules.clear()
    assert put(connected).http_status == 200


@pytest.mark.parametrize(
    "responder,http_status,headers",
    [
        (does.html(500), 500, {"Content-Type": "text/html"}),
        (does.redirect("http://127.0.0.1:9/", 301), 301, {"Location": "http://127.0.0.1:9/"}),
        (does.say(429, b"", headers={"Retry-After": "3"}), 429, {"Retry-After": "3"}),
    ],
)
def test_it_answers_without_an_envelope(
    connected: SandboxPlatform,
    emsp: SandboxPlatform,
    responder: Responder,
    http_status: int,
    headers: dict[str, str],
) -> None:
    """Error pages, redirects and throttling come as they are; nothing is followed."""
    emsp.answer("PUT", responder)

    answer = put(connected)

    assert (answer.http_status, answer.json) == (http_status, None)
    assert headers.items() <= dict(answer.headers).items()


def test_broken_json_looks_like_a_success(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """HTTP is in order, the JSON is cut in the middle."""
    emsp.answer("PUT", does.broken_json())

    answer = put(connected)

    assert (answer.http_status, answer.json) == (201, None)
    assert answer.body.startswith(b"{")


def test_a_truncated_answer_breaks_off(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """The peer is promised more bytes than it gets."""
    emsp.answer("PUT", does.truncated())

    with pytest.raises((ChunkedEncodingError, NoConnection)):
        put(connected)


def test_a_reset_connection_is_reset(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """The caller sees a TCP reset, and the request took no effect."""
    with emsp.answer("PUT", does.reset()), pytest.raises(NoConnection) as caught:
        put(connected)

    assert "ConnectionResetError" in repr(caught.value)
    assert connected.hub.get("locations", "RECEIVER", PATH).http_status == 404


def test_a_huge_body_has_the_size_asked_for(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """The body is valid and as long as asked for."""
    emsp.answer("PUT", does.huge(300_000))

    answer = put(connected)

    assert (len(answer.body), answer.status_code) == (300_000, 1000)


def test_holding_delays_the_effect_and_swallowing_the_answer_only(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Both time out at the caller; only the swallowed request was carried out by then."""
    connected.hub.timeout = 0.1
    for responder, effect in ((does.hang(30), False), (does.swallow(30), True)):
        with emsp.answer("PUT", responder), pytest.raises(ReadTimeout):
            put(connected)
        assert (len(emsp.objects["locations"]) == 1) is effect


def test_held_requests_are_answered_in_the_end(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """A short delay is only a delay."""
    emsp.hold(0.15)

    answer = put(connected)

    assert (answer.http_status, answer.elapsed >= 0.15) == (201, True)


def test_a_dripping_answer_arrives_byte_by_byte(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Every byte takes its time, the whole is right."""
    emsp.answer("PUT", does.drip(0.002))

    answer = put(connected)

    assert (answer.status_code, answer.elapsed > 0.002 * len(answer.body)) == (1000, True)


def test_calls_can_be_counted(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """Every n-th call fails, or the first ones do."""
    with emsp.answer("PUT", does.every(3, does.html(500))):
        third = [put(connected).http_status for _ in range(6)]
    with emsp.answer("PUT", does.first(2, does.html(503))):
        early = [put(connected).http_status for _ in range(4)]

    assert third == [201, 200, 500, 200, 200, 500]
    assert early == [503, 503, 200, 200]


def test_waiting_ends_when_the_request_arrives(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """wait_for returns the n-th match, and names what was seen when it never came."""
    sender = threading.Timer(0.05, lambda: [put(connected) for _ in range(2)])
    sender.start()

    second = emsp.wait_for("PUT /locations", count=2)
    sender.join()

    assert second is emsp.seen[1]
    assert second.json == {"id": "L1"}
    with pytest.raises(TimeoutError, match=r"PUT /ocpi/2\.2\.1/receiver/locations/NL/CPA/L1"):
        emsp.wait_for("DELETE", timeout=0.01)


def test_a_stop_does_not_wait_for_those_held(cpo: SandboxPlatform) -> None:
    """Idle, held and half-sent connections are cut."""
    platform = SandboxPlatform().start()
    platform.hold(60, "/versions")
    idle = socket.create_connection((platform.host, platform.port))
    half = socket.create_connection((platform.host, platform.port))
    half.sendall(b"GET /ocpi/versions HTTP/1.1\r\nHost:")
    outcomes: list[bool] = []
    asking = threading.Thread(target=lambda: outcomes.append(is_cut_off(cpo, platform.url)))
    asking.start()
    platform.wait_for("/versions", answered=False)
    with pytest.raises(TimeoutError, match="not yet answered"):
        platform.wait_for("/versions", timeout=0.01)

    started = time.monotonic()
    platform.stop()

    asking.join()
    for connection in (idle, half):
        connection.close()
    assert (outcomes, time.monotonic() - started < 2) == ([True], True)


def test_a_failure_of_the_platform_itself_is_not_hidden(cpo: SandboxPlatform) -> None:
    """What a responder of the test raises comes up at the stop."""

    def broken(call: Call) -> None:
        raise LookupError(call.seen.path)

    platform = SandboxPlatform().start()
    platform.answer("", broken)
    with pytest.raises(NoConnection):
        cpo.hub.call("GET", platform.url, token="x")

    with pytest.raises(ExceptionGroup) as caught:
        platform.stop()
    assert isinstance(caught.value.exceptions[0], LookupError)


def test_one_connection_carries_many_requests(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Connections are kept alive, without waiting for delayed acknowledgements."""
    started = time.monotonic()

    assert all(put(connected).succeeded for _ in range(50))

    assert time.monotonic() - started < 50 * 0.04
