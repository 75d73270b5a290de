"""What the receiver's answer becomes for the requester: the mapping table, with a bad receiver."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from hub.gateway import bulkhead
from ocpi.errors import ReceiverNotConnected
from parties.models import Endpoint, Platform
from sandbox import Responder, Result, SandboxPlatform
from sandbox.misbehaviour import (
    broken_json,
    detail,
    drip,
    hang,
    html,
    huge,
    redirect,
    refuse,
    reset,
    say,
    truncated,
    unauthorized,
)
from tests.cast import CPA, HUB, MSA, a_location, push, route

Pair = tuple[SandboxPlatform, SandboxPlatform]
L1 = "NL/CPA/L1"
FOREIGN = b'{"status_code":404,"detail":"Not Found"}'
ODD = b'{"status_code":"2001","status_message":"no timestamp"}'


def _ask(pair: Pair, method: str) -> Result:
    """Send a message of each kind to DE-MSA."""
    body = a_location() if method != "GET" else None
    return pair[0].hub.send(method, "locations", "RECEIVER", L1, body, to=MSA, sender=CPA)


SAME: dict[str, tuple[Responder, int, int]] = {
    "success": (refuse(1000, "fine"), 200, 1000),
    "custom success": (refuse(1901, "fine"), 200, 1901),
    "client error": (refuse(2001, "x"), 200, 2001),
    "client error as HTTP 400": (refuse(2001, "x", http_status=400), 400, 2001),
    "server error": (refuse(3000, "x"), 200, 3000),
    "server error as HTTP 500": (refuse(3001, "x", http_status=500), 500, 3001),
    "another hub's error": (refuse(4001, "x"), 200, 4001),
    "custom error": (refuse(2950, "x"), 200, 2950),
    "404 with envelope": (refuse(2003, "x", http_status=404), 404, 2003),
    "405 with envelope": (refuse(2000, "x", http_status=405), 405, 2000),
    "429 with envelope": (refuse(3000, "x", http_status=429), 429, 3000),
}


@pytest.mark.conformance("ST-15", "ST-16", "ST-20", "TF-59")
def test_an_envelope_is_relayed_whatever_it_says(pair: Pair) -> None:
    """Any HTTP status with an envelope, 401 and 403 excepted: the same status, the same bytes."""
    for name, (responder, http_status, status_code) in SAME.items():
        for method in ("PUT", "PATCH", "GET"):
            Platform.objects.update(next_attempt_at=None)
            with pair[1].answer("", responder):
                result = _ask(pair, method)
            assert (result.http_status, result.status_code) == (http_status, status_code), name
            assert result.message in {"x", "fine"}
            assert result.json["timestamp"] == "2026-01-01T00:00:00Z"
            assert route(result) == (CPA, MSA)


@pytest.mark.conformance("ST-20", "ST-16")
def test_a_sloppy_envelope_is_an_envelope(pair: Pair) -> None:
    """A code in quotes and no timestamp (A-21): relayed as it is."""
    with pair[1].answer("", say(400, ODD, content_type="text/plain")):
        result = _ask(pair, "PUT")

    assert (result.http_status, result.body) == (400, ODD)


GENERATED: dict[str, tuple[Responder, str, int, int]] = {
    "404 to a GET": (html(404), "GET", 404, 2003),
    "404 of a framework": (detail(404, "Not found"), "GET", 404, 2003),
    "404 of another framework": (say(404, FOREIGN), "GET", 404, 2003),
    "404 to a PUT": (html(404), "PUT", 200, 4000),
    "405 to a PUT": (detail(405), "PUT", 200, 4000),
    "405 to a GET": (detail(405), "GET", 200, 4000),
    "501 to a PATCH": (html(501), "PATCH", 200, 4000),
    "401 with envelope": (unauthorized(), "PUT", 200, 4003),
    "401 with envelope to a GET": (unauthorized(), "GET", 200, 4003),
    "403 of a framework": (detail(403), "GET", 200, 4003),
    "403 page": (html(403), "PUT", 200, 4003),
    "400 page": (html(400), "PUT", 200, 4000),
    "500 page": (html(500), "PUT", 200, 4000),
    "502 page": (html(502), "GET", 200, 4000),
    "503 empty": (say(503, b""), "PUT", 200, 4000),
    "200 page": (html(200), "GET", 200, 4000),
    "200 empty": (say(200, b""), "PUT", 200, 4000),
    "204": (say(204, b""), "PUT", 200, 4000),
    "200 half an envelope": (broken_json(), "GET", 200, 4000),
    "200 other JSON": (say(200, b'{"ok":true}'), "PUT", 200, 4000),
    "status beyond HTTP": (say(799, b'{"status_code":1000}'), "PUT", 200, 4000),
    "redirect to a path": (redirect("/elsewhere"), "PUT", 200, 4000),
    "redirect to a host": (redirect("http://169.254.169.254/", 307), "PUT", 200, 4000),
    "reset": (reset(), "PATCH", 200, 4003),
    "broken off": (truncated(), "GET", 200, 4000),
}


@pytest.mark.conformance("ST-14", "ST-17", "ST-18", "ST-19", "ST-20")
def test_without_an_envelope_the_hub_says_what_happened(pair: Pair) -> None:
    """Each row of the table: the code, from the hub, no data, nothing of the receiver's page."""
    cpo, emsp = pair
    push(cpo, a_location(), to=MSA)

    for name, (responder, method, http_status, status_code) in GENERATED.items():
        with emsp.answer("", responder):
            result = _ask(pair, method)
        assert (result.http_status, result.status_code) == (http_status, status_code), name
        assert route(result) == (CPA, HUB), name
        assert "data" not in result.json, name
        assert result.message, name
        assert "html" not in result.message, name
        assert "WWW-Authenticate" not in result.headers, name


@pytest.mark.conformance("ST-17", "ST-20")
def test_a_refused_token_is_the_operators_business(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    """A 401 about the hub's own token: 4003 to the requester, the connection is flagged."""
    with pair[1].answer("", unauthorized()):
        result = _ask(pair, "PUT")

    assert (result.http_status, result.status_code) == (200, 4003)
    assert "unknown token" not in str(result.message)
    flagged = Platform.objects.get(name="P2")
    assert "credentials" in flagged.last_error
    assert flagged.last_error_at is not None
    assert [
        record.levelname for record in caplog.records if record.name == "hub.gateway.peer_feedback"
    ] == ["ERROR"]


@pytest.mark.conformance("ST-20")
def test_a_receiver_that_throttles_is_left_alone(pair: Pair) -> None:
    """HTTP 429: 4000, and for as long as Retry-After says nothing more is sent there."""
    emsp = pair[1]
    too_many = say(429, b"slow down", content_type="text/plain", headers={"Retry-After": "60"})
    with emsp.answer("", too_many):
        results = [_ask(pair, "PUT"), _ask(pair, "PUT")]

    for result in results:
        assert (result.http_status, result.status_code) == (200, 4000)
        assert "throttles" in str(result.message)
    assert len(emsp.seen) == 1
    until = Platform.objects.get(name="P2").next_attempt_at
    assert until is not None
    assert abs(until - timezone.now() - timedelta(seconds=60)) < timedelta(seconds=10)
    emsp.hub.get("locations", "SENDER", to=HUB)
    assert _ask(pair, "PUT").status_code == 4000, "a call of its own does not end what it asked for"
    Platform.objects.filter(name="P2").update(next_attempt_at=timezone.now())
    assert _ask(pair, "PUT").status_code == 1000


@pytest.mark.conformance("ST-12", "ST-18", "ST-20", "TF-99")
@pytest.mark.parametrize("responder", [hang(120), drip(0.3)], ids=["hangs", "drips"])
def test_a_receiver_that_does_not_answer_in_time_is_4002(
    pair: Pair, settings: LazySettings, responder: Responder
) -> None:
    """Whatever the receiver does, the requester has its answer within the hub's own time."""
    with pair[1].answer("", responder):
        result = _ask(pair, "PUT")

    assert (result.http_status, result.status_code) == (200, 4002)
    assert result.elapsed < settings.HUB_REQUEST_TIMEOUT + 1.5
    assert route(result) == (CPA, HUB)


@pytest.mark.conformance("ST-20")
def test_an_answer_without_end_is_4000(pair: Pair) -> None:
    """More bytes than the hub reads are no answer."""
    with pair[1].answer("", huge(21_000_000)):
        result = _ask(pair, "GET")

    assert (result.http_status, result.status_code) == (200, 4000)


@pytest.mark.conformance("ST-13", "ST-20")
def test_a_receiver_without_name_or_tls_is_4003(pair: Pair) -> None:
    """The name of the receiver's platform is unknown, or TLS fails: 4003."""
    port = pair[1].port

    for origin in ("http://nowhere.invalid", f"https://127.0.0.1:{port}", "http://127.0.0.1:1"):
        Endpoint.objects.filter(platform__name="P2").update(url=f"{origin}/locations")
        result = _ask(pair, "PUT")

        assert (result.http_status, result.status_code) == (200, 4003), origin
        assert "127.0.0.1" not in str(result.message)
        assert "invalid" not in str(result.message)


def test_a_message_is_sent_once(pair: Pair) -> None:
    """Failed or not, a relayed message is never repeated by the hub (spec: offline behaviour)."""
    emsp = pair[1]
    for number, responder in enumerate((html(503), reset(), unauthorized(), hang(5)), start=1):
        with emsp.answer("", responder):
            _ask(pair, "PATCH")
        assert len(emsp.seen) == number


def test_headers_that_are_no_numbers_are_not_relayed(pair: Pair) -> None:
    """Of the receiver's headers only counts come through, and only as counts."""
    body = b'{"status_code":1000,"data":[],"timestamp":"2026-01-01T00:00:00Z"}'
    headers = {"X-Total-Count": "7", "X-Limit": "\u00e9vil", "Link": "<http://x>; rel=next"}
    with pair[0].answer("", say(200, body, headers=headers)):
        result = pair[1].hub.get("locations", "SENDER", to=CPA)

    assert result.headers["X-Total-Count"] == "7"
    assert "X-Limit" not in result.headers
    assert "Link" not in result.headers


@contextmanager
def _waiting(pair: Pair, number: int) -> Iterator[None]:
    """Have so many messages wait for DE-MSA."""
    with ThreadPoolExecutor(number) as threads, pair[1].hold(1.5):
        asked = [threads.submit(_ask, pair, "PUT") for _ in range(number)]
        pair[1].wait_for("PUT", count=number, answered=False)
        yield
        assert {each.result().status_code for each in asked} == {1000}


def test_a_slow_receiver_does_not_hold_every_thread(pair: Pair, settings: LazySettings) -> None:
    """Beyond its places a platform's messages are refused at once; others are not affected."""
    settings.HUB_REQUESTS_PER_PEER = 2
    emsp = pair[1]

    with _waiting(pair, 2):
        began = time.monotonic()
        refused = _ask(pair, "PUT")
        other = emsp.hub.get("locations", "SENDER", to=CPA)
        took = time.monotonic() - began

    assert (refused.http_status, refused.status_code) == (200, 4003)
    assert other.status_code == 1000
    assert took < 1
    assert _ask(pair, "PUT").status_code == 1000


def test_places_are_given_back_whatever_happens() -> None:
    """An error inside gives the place back; each platform has places of its own."""
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), bulkhead.slot(1, most=1, in_all=9):
            raise ZeroDivisionError
    taken = bulkhead.slot(1, most=1, in_all=9), bulkhead.slot(2, most=1, in_all=9)
    third = bulkhead.slot(1, most=1, in_all=9)
    with taken[0], taken[1], pytest.raises(ReceiverNotConnected), third:
        raise AssertionError


def test_all_places_together_are_bounded() -> None:
    """However many platforms are slow, some threads answer what needs no peer."""
    taken = [bulkhead.slot(platform, most=2, in_all=3) for platform in (1, 2, 3)]
    fourth = bulkhead.slot(4, most=2, in_all=3)
    with taken[0], taken[1], taken[2], pytest.raises(ReceiverNotConnected), fourth:
        raise AssertionError
