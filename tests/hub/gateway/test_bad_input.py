"""Whatever is sent to the hub: an envelope that says what to change, never a crash."""

import json
import re
from itertools import product

import pytest
from django.conf import LazySettings

from ocpi.shape import MOST_LEVELS
from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform
from tests.cast import CPA, HUB, MSA, Cast, a_location, push
from tests.hub import raw_http

Pair = tuple[SandboxPlatform, SandboxPlatform]


def _is_answered(result: Result, http_status: int, status_code: int) -> None:
    assert (result.http_status, result.status_code) == (http_status, status_code), str(result)
    assert result.message
    assert "data" not in result.json
    assert result.headers["Content-Type"] == "application/json"
    assert result.headers["OCPI-from-party-id"] == "HUB"


NO_ID = (
    b"%00",
    b"L%00",
    b"L%0A1",
    b"%7F",
    b"%C2%85",
    b"%FF",
    b"%ED%A0%80",
    b"",
    b".",
    b"..",
    b"%2e%2e",
    b".%2E",
    b"..%2Fcredentials",
    b"a%2F..%2Fb",
    b"..%5Ccredentials",
    b"..\\credentials",
    b"..;x",
)


def test_a_segment_no_id_can_be_is_404(pair: Pair) -> None:
    """Control characters, broken UTF-8, empty and climbing segments lead nowhere.

    Passed on, `../credentials` would call another endpoint of the receiver with the hub's token.
    """
    cpo, emsp = pair
    stamp = b'{"last_updated": "2026-01-01T00:00:00Z"}'

    for segment, to in product(NO_ID, (HUB, MSA)):
        target = b"receiver/locations/NL/CPA/%b/E1" % segment
        for method in ("PUT", "PATCH", "GET"):
            _is_answered(raw_http.send(cpo, method, target, stamp, to=to), 404, 2001)
        target = b"sender/locations/%b/credentials" % segment
        to = CPA if to == MSA else HUB  # noqa: PLW2901 - the same, seen from the other side
        _is_answered(raw_http.send(emsp, "GET", target, to=to), 404, 2001)
    assert cpo.seen == []
    assert emsp.seen == []


def test_a_path_that_leads_to_no_resource_is_404(pair: Pair) -> None:
    """A path with too few or too many steps is no resource of the interface."""
    for path in ("L1", "NL/CPA", "NL/CPA/L1/E1/1/more", "NL", "x" * 3_000):
        result = pair[0].hub.put("locations", "RECEIVER", path, {}, to=HUB, sender=CPA)

        _is_answered(result, 404, 2001)


def test_an_encoded_slash_in_the_fixed_part_is_not_taken_for_a_list(pair: Pair) -> None:
    """`/ocpi%2F2.2.1/…` is another path than `/ocpi/2.2.1/…`, however it decodes."""
    base = pair[1].hub.endpoint("locations", "SENDER")

    result = pair[1].hub.call("GET", f"{base.replace('/ocpi/', '/ocpi%2F')}/L1")

    assert (result.http_status, result.status_code) == (404, 2001)


NOWHERE = {
    "2.2.1/sender/nonsense": 2001,
    "2.2.1/sender/credentials": 2001,
    "2.2.1/receiver/hubclientinfo": 2001,
    "2.2.1/middle/locations": 2001,
    "2.2.1/SENDER/locations": 2001,
    "9.9/sender/locations": 3002,
    "2.2.1.0.0/receiver/locations/NL/CPA/L1": 3002,
    "2.2.1/sender": 2001,
    "x/y/z": 2001,
    "versions/x": 2001,
    "": 2001,
    "%00": 3002,
    "2.2.1/sender/locations%0A": 2001,
}


def test_an_unknown_module_version_or_interface_is_404(pair: Pair) -> None:
    """What the hub does not serve is HTTP 404 with an envelope."""
    base = pair[0].hub.connected.versions_url.removesuffix("versions")

    for path, status_code in NOWHERE.items():
        result = pair[0].hub.call("GET", f"{base}{path}")

        assert (result.http_status, result.status_code) == (404, status_code), path
        assert result.message


def test_the_root_of_ocpi_answers_with_an_envelope_too(pair: Pair) -> None:
    """`/ocpi` without a slash is no page of the console."""
    base = pair[0].hub.connected.versions_url.removesuffix("/versions")

    result = pair[0].hub.call("GET", base)

    assert (result.http_status, result.status_code) == (404, 2001)


def test_head_is_no_method_of_ocpi(pair: Pair) -> None:
    """HEAD is answered 405 without a body, as HTTP wants it."""
    result = pair[0].hub.send("HEAD", "locations", "SENDER", to=HUB, sender=CPA)

    assert (result.http_status, result.body) == (405, b"")
    assert result.headers["Allow"] == "GET"


@pytest.mark.parametrize("to", [HUB, MSA], ids=str)
def test_a_body_over_the_limit_is_413(pair: Pair, settings: LazySettings, to: PartyRef) -> None:
    """A body larger than the hub reads is HTTP 413 with an envelope, and goes nowhere."""
    settings.HUB_MAX_BODY_BYTES = 10_000
    cpo, emsp = pair

    fits = push(cpo, a_location(name="n", x_pad="x" * 1_000), to=to)
    for size in (10_000, 6_000_000):
        _is_answered(push(cpo, a_location(x_pad="x" * size), to=to), 413, 2001)

    assert fits.http_status == 201
    assert len(emsp.seen) == (1 if to == MSA else 0)


@pytest.mark.parametrize("depth", [100, MOST_LEVELS - 1])
def test_a_deeply_nested_member_is_kept(pair: Pair, depth: int) -> None:
    """A hundred levels are unusual, not wrong."""
    cpo, emsp = pair
    nested = json.loads("[" * depth + "]" * depth)

    for to in (HUB, MSA):
        assert push(cpo, a_location(x_deep=nested), to=to).http_status == 201
    found = emsp.hub.get("locations", "SENDER", "L1", to=HUB)
    assert found.data["x_deep"] == nested
    assert emsp.wait_for("PUT").json == a_location(x_deep=nested)


def test_a_bottomless_body_is_400(pair: Pair) -> None:
    """Nesting without end is refused before anything looks inside."""
    for opening, to in product((b"[", b'{"a":'), (HUB, MSA)):
        body = b'{"id":"L1","x":' + opening * 100_000
        result = pair[0].hub.put("locations", "RECEIVER", "NL/CPA/L1", body, to=to, sender=CPA)

        _is_answered(result, 400, 2001)


def test_a_repeated_member_is_refused_whichever_is_right(pair: Pair) -> None:
    """Two parsers would read two objects: neither the first nor the last counts."""
    cpo, emsp = pair
    text = json.dumps(a_location())
    good = text.replace('"id": "L1"', '"id": "L2", "id": "L1"', 1)
    bad = text.replace('"id": "L1"', '"id": "L1", "id": "L2"', 1)

    for to, body in product((HUB, MSA), (good, bad)):
        sent = cpo.hub.put("locations", "RECEIVER", "NL/CPA/L1", body, to=to, sender=CPA)
        _is_answered(sent, 200, 2001)
        assert "id" in str(sent.message)
    assert not emsp.seen


def test_a_nul_in_a_text_is_2001(pair: Pair) -> None:
    """No database of ours or theirs can be asked to keep the character NUL."""
    for field in ("id", "name", "city"):
        body = {**a_location(), field: "a\0b"}
        result = pair[0].hub.put("locations", "RECEIVER", "NL/CPA/L1", body, to=HUB, sender=CPA)

        _is_answered(result, 200, 2001)
        assert field in str(result.message)


def test_a_nul_in_an_unknown_member_survives(pair: Pair) -> None:
    """What the hub does not know it does not judge: the escape is kept as it was written."""
    assert push(pair[0], a_location(x_note="a\0b")).http_status == 201

    found = pair[1].hub.get("locations", "SENDER", "L1", to=HUB)
    assert found.data["x_note"] == "a\0b"


IDS = {
    b"a" * 128: True,
    b"<script>": True,
    b"a" * 129: False,
    b"a\tb": False,
    "caf\u00e9".encode(): False,
    b"": False,
}


@pytest.mark.conformance("TF-87", "TF-92")
def test_message_ids_are_echoed_or_replaced(pair: Pair) -> None:
    """An id that could break a header or a log is replaced by a new one; all others come back."""
    for given, echoed in IDS.items():
        line = b"X-Request-ID: %b\r\n" % given
        result = raw_http.send(pair[0], "GET", b"sender/locations", to=HUB, headers=line)

        assert result.status_code == 1000
        answered = result.headers["X-Request-ID"]
        assert answered == given.decode() if echoed else len(answered) == 36
    odd = b"X-Request-ID: a\x0bb\r\n"
    result = raw_http.send(pair[0], "GET", b"sender/locations", to=HUB, headers=odd)
    assert result.http_status == 400


def test_a_folded_header_injects_nothing(pair: Pair) -> None:
    """A line break inside a header value is refused: it becomes no header of answer or relay."""
    cpo, emsp = pair
    line = b"X-Correlation-ID: a\r\n Set-Cookie: x=y\r\n"

    result = raw_http.send(emsp, "GET", b"sender/locations", to=CPA, headers=line)

    assert result.http_status == 400
    assert "Set-Cookie" not in result.headers
    assert cpo.seen == []


QUERIES = (
    b"&".join(b"p%d=1" % number for number in range(480)),
    b"&" * 1_500,
    b"&&&===&&",
    b"%zz=%00&%ff=%ff&offset",
    b"limit=1&limit=2",
    b"cursor=",
    b"date_from=",
    "\u00e9=\u00fc".encode(),
    b"#fragment",
)
NO_TEXT = b"\xff=\xfe"


def test_an_absurd_query_is_passed_over(pair: Pair) -> None:
    """Parameters nobody knows harm nobody, neither in the hub nor at the receiver."""
    cpo, emsp = pair

    for query in QUERIES:
        for to in (HUB, CPA):
            result = raw_http.send(emsp, "GET", b"sender/locations?" + query, to=to)
            assert (result.http_status, result.status_code) == (200, 1000), (query, str(result))
    assert all(seen.path.isascii() for seen in cpo.seen)


def test_a_query_that_is_no_text_is_refused(pair: Pair) -> None:
    """Bytes that are no UTF-8 get 400 from the server, whoever they are for, and go no further."""
    for to in (HUB, CPA):
        result = raw_http.send(pair[1], "GET", b"sender/locations?" + NO_TEXT, to=to)
        assert result.http_status == 400
    assert pair[0].seen == []


def test_a_url_without_end_is_414(pair: Pair) -> None:
    """A URL longer than the hub would pass on is refused as such."""
    for to in (HUB, CPA):
        result = pair[1].hub.get("locations", "SENDER", "?x=" + "y" * 5_000, to=to)

        _is_answered(result, 414, 2001)


def test_a_made_up_cursor_is_2001(pair: Pair) -> None:
    """A page link is followed as it is; a made-up one is refused, not misread."""
    made_up = (
        "x",
        "1",
        "1-2",
        "1-2-DE",
        "-1-2-DE-MSA",
        "9" * 30,
        "%00",
        "a-b-DE-MSA",
        "1-2-FR-MSB",
    )

    for cursor, sender in product(made_up, (MSA, None)):
        result = pair[1].hub.get("locations", "SENDER", f"?cursor={cursor}", to=HUB, sender=sender)

        _is_answered(result, 200, 2001)
        assert re.search("cursor|FR-MSB", str(result.message))


def test_the_cursor_of_a_receiver_is_its_own_business(pair: Pair) -> None:
    """A parameter of that name in a relayed request is passed on, whatever it says."""
    cpo, emsp = pair

    result = emsp.hub.get("locations", "SENDER", "?cursor=opaque", to=CPA)

    assert result.status_code == 1000
    assert cpo.wait_for("GET").query == {"cursor": "opaque"}


def test_a_body_where_none_belongs_is_passed_over(cast: Cast) -> None:
    """A GET with a body is a GET."""
    result = cast["P1"].hub.send("GET", "locations", "SENDER", "", b"{broken", to=HUB, sender=CPA)

    assert result.status_code == 1000
