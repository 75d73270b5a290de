"""Methods, bodies, paths and queries on their way through the hub."""

import json
from hashlib import sha256
from itertools import product

import pytest

from sandbox import SandboxPlatform
from sandbox.misbehaviour import say
from tests.cast import CPA, HUB, MSA, MSB, Cast, a_location, push, route
from tests.hub import raw_http

Pair = tuple[SandboxPlatform, SandboxPlatform]
L1 = "NL/CPA/L1"


@pytest.mark.conformance("TF-11")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_body_that_is_no_json_is_http_400(pair: Pair, method: str) -> None:
    """What is not JSON never reached OCPI: HTTP 400 with an envelope, nothing is passed on."""
    cpo, emsp = pair
    bodies = (b'{"id":', b"", b"\xff", b'{"a":NaN}', b'{"a":"\\ud800"}', b"{}x", b"\x00")

    for body, to in product(bodies, (HUB, MSA, None)):
        result = cpo.hub.send(method, "locations", "RECEIVER", L1, body, to=to, sender=CPA)

        assert (result.http_status, result.status_code) == (400, 2001), body
        assert result.message
    assert emsp.seen == []
    assert cpo.hub.get("locations", "RECEIVER", L1, to=HUB, sender=CPA).http_status == 404


def test_a_body_that_is_no_object_is_2001(pair: Pair) -> None:
    """Valid JSON that is no object did reach OCPI: HTTP 200 with 2001, nothing is passed on."""
    for body, to in product((b"[]", b"null", b"1", b'"text"', b"[{}]"), (HUB, MSA)):
        result = pair[0].hub.put("locations", "RECEIVER", L1, body, to=to, sender=CPA)

        assert (result.http_status, result.status_code) == (200, 2001), body
        assert "must be an object" in str(result.message)
    assert pair[1].seen == []


@pytest.mark.conformance("TF-12", "TF-13")
def test_the_content_type_is_tolerated_and_made_right(pair: Pair) -> None:
    """Whatever Content-Type a body came with, it is JSON, and goes out as application/json."""
    cpo, emsp = pair

    for given in ("application/json; charset=utf-8", "text/json", "nonsense", None):
        emsp.forget()
        for to in (HUB, MSA):
            result = cpo.hub.put(
                "locations",
                "RECEIVER",
                L1,
                a_location(),
                to=to,
                sender=CPA,
                **{"Content-Type": given},
            )
            assert result.status_code == 1000
        assert emsp.wait_for("PUT").headers["Content-Type"] == "application/json"
        assert emsp.wait_for("PUT").json == a_location()


NOT_THERE = (
    ("POST", "RECEIVER", "", "GET, PATCH, PUT"),
    ("POST", "RECEIVER", L1, "GET, PATCH, PUT"),
    ("DELETE", "RECEIVER", L1, "GET, PATCH, PUT"),
    ("DELETE", "RECEIVER", f"{L1}/E1/1", "GET, PATCH, PUT"),
    ("OPTIONS", "RECEIVER", L1, "GET, PATCH, PUT"),
    ("BREW", "RECEIVER", L1, "GET, PATCH, PUT"),
    ("POST", "SENDER", "", "GET"),
    ("PUT", "SENDER", "L1", "GET"),
    ("PATCH", "SENDER", "L1/E1", "GET"),
    ("DELETE", "SENDER", "", "GET"),
)


@pytest.mark.conformance("TF-14", "TF-52", "TF-54", "LOC-11")
def test_a_method_a_resource_does_not_have_is_405(pair: Pair) -> None:
    """A method marked n/a is HTTP 405 with `Allow` and an envelope, whoever it is addressed to."""
    cpo, emsp = pair

    for (method, interface, path, allowed), to in product(NOT_THERE, (HUB, MSA, None)):
        result = cpo.hub.send(method, "locations", interface, path, {}, to=to, sender=CPA)

        assert (result.http_status, result.status_code) == (405, 2001), (method, path)
        assert result.headers["Allow"] == allowed
        assert route(result) == (CPA, HUB)
    assert emsp.seen == []


@pytest.mark.conformance("TF-15")
def test_a_slash_at_the_end_changes_nothing(pair: Pair) -> None:
    """Every URL answers with and without a trailing slash, and never redirects (A-01)."""
    cpo, emsp = pair
    base = cpo.hub.connected.versions_url.removesuffix("/versions")
    push(cpo, a_location())

    for slash in ("", "/", "//"):
        listed = emsp.hub.call("GET", f"{emsp.hub.endpoint('locations', 'SENDER')}{slash}")
        single = cpo.hub.get("locations", "RECEIVER", f"{L1}{slash}", to=HUB, sender=CPA)
        assert (listed.http_status, listed.status_code, len(listed.data)) == (200, 1000, 1)
        assert (single.http_status, single.status_code) == (200, 1000)
    for url in ("versions", "2.2.1", "2.2.1/credentials"):
        for slash in ("", "/"):
            assert cpo.hub.call("GET", f"{base}/{url}{slash}").http_status == 200


@pytest.mark.conformance("TF-16")
def test_endpoint_and_path_are_joined_by_exactly_one_slash(cast: Cast) -> None:
    """Whether a platform advertised its endpoint with a slash at the end or not: one slash."""
    cpo = cast["P1"]
    platforms = [cast.join("P2", trailing_slash=True), cast.join("P3", trailing_slash=False)]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))

    for platform, party in zip(platforms, (MSA, MSB), strict=True):
        platform.forget()
        assert push(cpo, a_location(), to=party).status_code == 1000
        assert platform.wait_for("PUT").path.endswith("/receiver/locations/NL/CPA/L1")
        assert "//" not in platform.wait_for("PUT").path


SPELLINGS = (
    ("a/b c", b"a%2Fb%20c?foo=1"),
    ("a/b c", b"a%2fb%20c?foo=1&foo=2&empty=&x%5B%5D=%zz&+"),
    ("NL*CPA*E1", b"NL*CPA*E1"),
    ("NL*CPA*E1", b"NL%2ACPA*%451?%41=%ff"),
    ("100%", b"100%25"),
    ("#1", b"%231"),
    ("a+b", b"a+b?q=a+b%2Bc"),
    ("a:b@c;d=e!'()~$&,", b"a:b@c;d=e!'()~$&,?/?:@;=[]{}|^`"),
    ("?", b"%3F?a=b?c"),
    ("caf\u00e9", b"caf%C3%A9"),
)


@pytest.mark.conformance("TF-17")
def test_path_and_query_are_passed_on_as_they_were_spelled(pair: Pair) -> None:
    """Percent-encoding, `+` and unknown parameters arrive as they were sent (A-06)."""
    cpo, emsp = pair

    for identifier, suffix in SPELLINGS:
        body = json.dumps(a_location(id=identifier)).encode()
        target = b"receiver/locations/NL/CPA/" + suffix
        emsp.forget()

        result = raw_http.send(cpo, "PUT", target, body, to=MSA)

        assert result.status_code == 1000, (suffix, str(result))
        seen = emsp.wait_for("PUT").path
        assert seen.partition("/locations/")[2] == f"NL/CPA/{suffix.decode()}"
        assert emsp.objects["locations"]["NL", "CPA", identifier]
        assert raw_http.send(cpo, "PUT", target, body, to=HUB).status_code == 1000
        assert raw_http.send(cpo, "GET", target, to=HUB).data["id"] == identifier


@pytest.mark.conformance("TF-17")
def test_bytes_that_no_url_may_contain_are_encoded_on_the_way(pair: Pair) -> None:
    """What a sloppy platform forgot to percent-encode arrives in the form it should have had."""
    cpo, emsp = pair
    body = json.dumps(a_location(id="caf\u00e9")).encode()
    target = "receiver/locations/NL/CPA/caf\u00e9?name=\u00fc".encode()

    result = raw_http.send(cpo, "PUT", target, body, to=MSA)

    assert result.status_code == 1000, str(result)
    assert emsp.wait_for("PUT").path.endswith("/locations/NL/CPA/caf%C3%A9?name=%C3%BC")


@pytest.mark.conformance("TF-18", "TF-94", "TF-95")
def test_a_body_is_passed_on_byte_for_byte(pair: Pair) -> None:
    """Spacing, number lexemes, unknown members and values, key order: the same bytes arrive."""
    cpo, emsp = pair
    members = json.dumps(a_location(facilities=["ZOO"]))[1:-1]
    body = (
        '{ "x_y":\t{"limit": 8.10, "b":1e2,  "a":1.10000},\r\n'
        '  "published_at":"2026-01-01T10:00:00", "caf\u00e9":"\\u00e9\\/",'
        f"\n{members} }}\n"
    ).encode()

    for method in ("PUT", "PATCH"):
        result = cpo.hub.send(method, "locations", "RECEIVER", L1, body, to=MSA, sender=CPA)

        assert result.status_code == 1000, str(result)
        seen = emsp.wait_for(method)
        assert sha256(seen.body).digest() == sha256(body).digest()
        assert seen.headers["Content-Length"] == str(len(body))


@pytest.mark.conformance("TF-19", "TF-59")
def test_an_answer_is_brought_back_unchanged(pair: Pair) -> None:
    """HTTP status, envelope, data and timestamp of the receiver arrive as it wrote them."""
    cpo, emsp = pair
    answer = (
        b'{ "data": {"a":1.50}, "status_code":1000,\n "status_message":"wird gemacht",'
        b' "timestamp":"2020-02-02T02:02:02.2Z", "x":1 }'
    )
    emsp.answer("PUT", say(201, answer, headers={"Set-Cookie": "a=b", "X-Powered-By": "x"}))

    result = push(cpo, a_location(), to=MSA)

    assert result.http_status == 201
    assert result.body == answer
    assert result.headers["Content-Type"] == "application/json"
    assert "Set-Cookie" not in result.headers
    assert "X-Powered-By" not in result.headers
