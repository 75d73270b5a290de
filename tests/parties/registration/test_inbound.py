"""A platform registers with the hub: POST credentials."""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from ocpi.client import AddressPolicy, Limits, configure
from ocpi.transport import envelope
from ocpi.transport.authorization import header
from ocpi.types import Role
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Endpoint, Party, Platform, TokenKind
from parties.outbound_auth import peer_of
from parties.registration.outbound import renew_tokens
from parties.signals import platform_registered
from sandbox import misbehaviour
from sandbox.default_endpoints import offered
from sandbox.platform import SandboxPlatform
from sandbox.server import Call
from tests.database_backend.pool import held
from tests.parties.conftest import Start
from tests.parties.wire import CPO, EMSP, Wire, code, invited, offer, said

ROUTING = (
    "OCPI-to-party-id",
    "OCPI-to-country-code",
    "OCPI-from-party-id",
    "OCPI-from-country-code",
)


def _untouched(token_a: str, wire: Wire) -> None:
    """Assert that nothing was stored and that token A is as good as before."""
    platform = Platform.objects.get(name="P1")
    assert platform.status == ConnectionStatus.PLANNED
    assert (platform.version, platform.versions_url, platform.handshake_until) == ("", "", None)
    assert not Endpoint.objects.exists()
    assert not Party.objects.filter(is_active=True).exists()
    assert [row.kind for row in Credentials.objects.filter(platform=platform)] == [TokenKind.A]
    assert code(wire.get(token=token_a)) == (200, 1000)


@pytest.mark.conformance("CRED-02", "CRED-36", "TF-03")
def test_connects_back_with_token_b_while_the_post_is_open(wire: Wire, start: Start) -> None:
    """Versions and the details of this endpoint's version are fetched before the answer."""
    platform = start(CPO, versions=("2.2", "2.2.1"))
    body = offer(platform)
    response = wire.post(invited().token, body, version="2.2")
    assert code(response) == (200, 1000)
    assert [str(seen) for seen in platform.seen] == ["GET /ocpi/versions", "GET /ocpi/2.2"]
    for seen in platform.seen:
        assert seen.headers["Authorization"] == header(body["token"])
        assert not [name for name in ROUTING if name in seen.headers]
    assert Platform.objects.get().version == "2.2"


@pytest.mark.conformance("CRED-03", "CRED-04")
def test_answers_with_a_new_token_the_versions_url_and_the_hub_alone(
    wire: Wire, start: Start
) -> None:
    """The hub reports itself, once, as HUB; website and logo are there for those that insist."""
    platform, token_a = start(CPO), invited().token
    body = offer(platform)
    data = wire.post(token_a, body).json()["data"]
    assert data["token"] not in {token_a, body["token"]}
    assert data["url"] == wire.versions_url
    [role] = data["roles"]
    assert (role["role"], role["country_code"], role["party_id"]) == ("HUB", "NL", "HUB")
    assert role["business_details"]["website"]
    assert role["business_details"]["logo"].keys() >= {"url", "category", "type"}


@pytest.mark.conformance("CRED-05")
def test_token_a_is_good_for_one_registration(wire: Wire, start: Start) -> None:
    """After success token A opens nothing, and the 401 says what to use instead."""
    token_a = invited().token
    start(CPO).register_with(wire.versions_url, token_a)
    response = wire.get(token=token_a)
    assert code(response) == (401, 2001)
    assert "final token" in said(response)


@pytest.mark.conformance("CRED-07")
def test_a_token_a_does_not_register_a_registered_platform(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """However it came to be there: the registration in force is not replaced by POST."""
    _, token_a = Credentials.objects.issue(Platform.objects.get(), kind=TokenKind.A)
    response = wire.post(token_a, offer(registered))
    assert code(response) == (405, 2001)
    assert response.headers["Allow"] == "GET, PUT, DELETE"
    assert code(wire.get(token=registered.hub.token)) == (200, 1000)


@pytest.mark.conformance("CRED-07")
def test_a_platform_registered_while_its_post_is_open_stays_as_it_is(
    wire: Wire, start: Start
) -> None:
    """The status is read again before anything is stored."""
    platform, token_a = start(CPO), invited().token

    def register_first(call: Call) -> None:
        Platform.objects.update(status=ConnectionStatus.CONNECTED, version="2.2.1")
        connection.close()  # of the platform's own thread
        call.send(call.usual())

    with platform.answer("GET /ocpi/versions", register_first):
        response = wire.post(token_a, offer(platform))
    assert code(response) == (405, 2001)
    assert not Endpoint.objects.exists()


@pytest.mark.conformance("CRED-07", "CRED-26", "CRED-25")
def test_methods_depend_on_who_asks(wire: Wire, registered: SandboxPlatform) -> None:
    """POST by a registered platform and PATCH by anybody are 405; strangers get 401 for all."""
    for version in ("2.2", "2.2.1"):
        again = wire.post(registered.hub.token, offer(registered), version=version)
        assert code(again) == (405, 2001)
        assert again.headers["Allow"] == "GET, PUT, DELETE"
    patch = wire.send("PATCH", "2.2.1/credentials", token=registered.hub.token, body={})
    assert code(patch) == (405, 2001)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        assert wire.send(method, "2.2.1/credentials", token="nobodys", body={}).status_code == 401


@pytest.mark.conformance("CRED-18", "CRED-23", "CRED-37")
def test_an_unused_token_a_reads_and_posts_only(wire: Wire, start: Start) -> None:
    """GET returns the hub's details around token A; PUT and DELETE are 405; POST still works."""
    platform, token_a = start(CPO), invited().token
    shown = wire.get("2.2.1/credentials", token=token_a)
    assert code(shown) == (200, 1000)
    assert shown.json()["data"]["token"] == token_a
    for method in ("PUT", "DELETE"):
        response = wire.send(method, "2.2.1/credentials", token=token_a, body=offer(platform))
        assert code(response) == (405, 2001)
        assert response.headers["Allow"] == "GET, POST"
    assert code(wire.post(token_a, offer(platform))) == (200, 1000)


@pytest.mark.conformance("CRED-08", "CRED-11")
@pytest.mark.parametrize(
    "where,responder",
    [
        ("/ocpi/versions", misbehaviour.html(500)),
        ("/ocpi/versions", misbehaviour.html(200)),
        ("/ocpi/versions", misbehaviour.unauthorized()),
        ("/ocpi/versions", misbehaviour.detail(403)),
        ("/ocpi/versions", misbehaviour.refuse(3000)),
        ("/ocpi/versions", misbehaviour.reset()),
        ("/ocpi/versions", misbehaviour.truncated()),
        ("/ocpi/versions", misbehaviour.broken_json()),
        ("/ocpi/versions", misbehaviour.hang(30)),
        ("/ocpi/versions", misbehaviour.drip(0.5)),
        ("/ocpi/versions", misbehaviour.huge(21_000_000)),
        ("/ocpi/versions", misbehaviour.redirect("/ocpi/versions", 307)),
        ("/ocpi/versions", misbehaviour.redirect("https://elsewhere.example.com/", 302)),
        ("/ocpi/versions", misbehaviour.say(200, envelope.render(data=b'{"a":1}'))),
        ("/ocpi/versions", misbehaviour.say(200, envelope.render())),
        ("/ocpi/2.2.1", misbehaviour.html(502)),
        ("/ocpi/2.2.1", misbehaviour.hang(30)),
        ("/ocpi/2.2.1", misbehaviour.say(200, envelope.render(data=b"[]"))),
        (
            "/ocpi/2.2.1",
            misbehaviour.say(200, envelope.render(data=b'{"version":"2.2","endpoints":[]}')),
        ),
    ],
)
def test_an_unusable_api_is_3001_and_leaves_no_trace(
    wire: Wire, start: Start, where: str, responder: Any
) -> None:
    """Whatever is wrong there: 3001 in time, nothing stored, and once repaired it gets in."""
    platform, token_a = start(CPO), invited().token
    with platform.answer(f"GET {where}", responder):
        response = wire.post(token_a, offer(platform))
    assert code(response) == (200, 3001)
    assert where in said(response) or "token" in said(response)
    assert response.elapsed.total_seconds() < 6
    _untouched(token_a, wire)
    assert code(wire.post(token_a, offer(platform))) == (200, 1000)


@pytest.mark.parametrize(
    "path,data",
    [
        ("/ocpi/2.2.1", b'{"version":"9\\u0000","endpoints":[]}'),
        ("/ocpi/versions", b'[{"version":"9\\u0000","url":"http://127.0.0.1/"}]'),
        ("/ocpi/versions", b'{"version":"9\\u0000","endpoints":[]}'),
        ("/ocpi/2.2.1", b'{"version":["2.2.1"],"endpoints":[]}'),
    ],
)
def test_a_version_of_control_characters_is_quoted_without_them(
    wire: Wire, start: Start, path: str, data: bytes
) -> None:
    """A NUL in a platform's words is no trouble for the hub that repeats them."""
    platform, token_a = start(CPO), invited().token
    with platform.answer(f"GET {path}", misbehaviour.say(200, envelope.render(data=data))):
        response = wire.post(token_a, offer(platform))
    assert response.status_code == 200
    assert code(response)[1] in {3001, 3002}
    assert "\0" not in said(response)
    assert Platform.objects.get().last_error
    _untouched(token_a, wire)


@pytest.mark.conformance("CRED-08", "CRED-11")
@pytest.mark.parametrize(
    "url,sentence",
    [
        ("http://127.0.0.1:1/versions", "cannot be reached"),
        ("http://does-not-exist.invalid/versions", "cannot be"),
        ("ftp://example.com/versions", "scheme must be https"),
        ("http://169.254.169.254/latest", "special-purpose"),
        ("http://user:secret@127.0.0.1/", "user information"),
        ("not a url", "cannot be used"),
    ],
)
def test_a_url_that_leads_nowhere_is_3001(
    wire: Wire, start: Start, url: str, sentence: str
) -> None:
    """The sentence says what is wrong with the URL."""
    platform, token_a = start(CPO), invited().token
    response = wire.post(token_a, offer(platform, url=url))
    assert code(response) == (200, 3001)
    assert sentence in said(response)
    _untouched(token_a, wire)


@pytest.mark.conformance("CRED-08", "CRED-11")
def test_a_platform_without_tls_behind_https_is_3001(wire: Wire, start: Start) -> None:
    """A failing TLS handshake is a platform that cannot be reached."""
    platform, token_a = start(CPO), invited().token
    response = wire.post(token_a, offer(platform, url=platform.url.replace("http:", "https:")))
    assert code(response) == (200, 3001)
    assert "cannot be reached" in said(response)
    _untouched(token_a, wire)


@pytest.mark.conformance("CRED-08", "CRED-11")
def test_a_platform_at_a_private_address_is_3001_unless_allowed(wire: Wire, start: Start) -> None:
    """Loopback is refused by the address guard of production, before anything is sent."""
    platform, token_a = start(CPO), invited().token
    limits = Limits(connect=1, total=2)
    configure(AddressPolicy(allow_private=False, allow_http=True), limits)
    try:
        response = wire.post(token_a, offer(platform))
    finally:
        configure(AddressPolicy(allow_private=True, allow_http=True), limits)
    assert code(response) == (200, 3001)
    assert "private address" in said(response)
    assert platform.seen == []
    _untouched(token_a, wire)
    assert code(wire.post(token_a, offer(platform))) == (200, 1000)


def test_holds_no_database_connection_while_it_waits_for_the_platform(
    wire: Wire, start: Start
) -> None:
    """A slow platform costs a thread, not a connection of the pool, and never a transaction."""
    platform = start(CPO)
    token_a = invited().token
    connection.close()
    before, counted = held(), list[int]()

    def count(call: Call) -> None:
        deadline = time.monotonic() + 1
        while (others := held() - before) > 0 and time.monotonic() < deadline:
            time.sleep(0.02)
        counted.append(max(others, 0))
        call.send(call.usual())

    platform.answer("GET /ocpi/versions", count)
    assert code(wire.post(token_a, offer(platform))) == (200, 1000)
    assert counted == [0]


@pytest.mark.conformance("CRED-09")
def test_a_platform_without_this_version_is_3002(wire: Wire, start: Start) -> None:
    """The platform must offer the version whose endpoint it calls."""
    platform, token_a = start(CPO), invited().token
    response = wire.post(token_a, offer(platform), version="2.2")
    assert code(response) == (200, 3002)
    assert "2.2.1" in said(response)
    _untouched(token_a, wire)


@pytest.mark.conformance("CRED-10")
@pytest.mark.parametrize("modules", [{}, {"locations": ("RECEIVER",)}])
def test_a_platform_without_a_usable_endpoint_is_3003(
    wire: Wire, start: Start, modules: dict[str, tuple[str, ...]]
) -> None:
    """A CPO without anything the hub can use learns what is missing."""
    platform, token_a = start(CPO, modules=modules), invited().token
    response = wire.post(token_a, offer(platform))
    assert code(response) == (200, 3003)
    assert "locations SENDER" in said(response)
    _untouched(token_a, wire)


ROLE = {"role": "CPO", "country_code": "NL", "party_id": "CPA", "business_details": {"name": "x"}}


@pytest.mark.conformance("CRED-12")
@pytest.mark.parametrize(
    "changes,path",
    [
        ({"token": None}, "token"),
        ({"token": ""}, "token"),
        ({"token": "a\nb"}, "token"),
        ({"url": None}, "url"),
        ({"roles": None}, "roles"),
        ({"roles": []}, "roles"),
        ({"roles": [{**ROLE, "business_details": None}]}, "roles[0].business_details"),
        ({"roles": [{**ROLE, "country_code": "NLD"}]}, "roles[0].country_code"),
        ({"roles": [{**ROLE, "role": "BOSS"}]}, "roles[0].role"),
        ({"roles": [ROLE, {**ROLE, "party_id": "cpa"}]}, "roles[1]"),
    ],
)
def test_malformed_credentials_are_2001_and_name_the_field(
    wire: Wire, start: Start, changes: dict[str, Any], path: str
) -> None:
    """Missing fields and a repeated role are refused by their path, before anybody is called."""
    platform, token_a = start(CPO), invited().token
    response = wire.post(token_a, offer(platform, **changes))
    assert code(response) == (200, 2001)
    assert path in said(response)
    assert platform.seen == []
    _untouched(token_a, wire)


@pytest.mark.parametrize("body", [b"", b'{"token":', b"[1]"])
def test_a_body_that_is_no_object_is_refused(wire: Wire, body: bytes) -> None:
    """Broken JSON is HTTP 400; another JSON value is 2001."""
    token_a = invited().token
    assert code(wire.post(token_a, body)) == ((200, 2001) if body == b"[1]" else (400, 2001))
    _untouched(token_a, wire)


@pytest.mark.conformance("CRED-13")
@pytest.mark.security("S-15")
def test_parties_of_others_and_uninvited_ones_are_2001(
    wire: Wire, registered: SandboxPlatform, start: Start
) -> None:
    """Nobody takes a party that is not on its list, nor learns whether another platform has it."""
    thief = start("EMSP:DE:MSA", "CPO:NL:CPA", "CPO:NL:NEW")
    response = wire.post(invited("EMSP:DE:MSA", name="P9").token, offer(thief))
    assert code(response) == (200, 2001)
    assert "CPO NL-CPA is not among the parties agreed" in said(response)
    assert "CPO NL-NEW is not among the parties agreed" in said(response)
    assert "DE-MSA" not in said(response)
    assert thief.seen == []
    assert Party.objects.get(party_id="CPA").platform.name == "P1"
    assert not Party.objects.filter(party_id="NEW").exists()


@pytest.mark.conformance("CRED-14")
def test_a_platform_may_bring_several_parties(wire: Wire, start: Start) -> None:
    """The same role for two parties and two roles for one party are all registered."""
    roles = ("CPO:NL:CPA", "CPO:NL:CPB", "EMSP:NL:CPA")
    start(*roles).register_with(wire.versions_url, invited(*roles).token)
    active = {(p.role, p.key) for p in Party.objects.filter(is_active=True)}
    assert active == {("CPO", "NL-CPA"), ("CPO", "NL-CPB"), ("EMSP", "NL-CPA")}


@pytest.mark.conformance("CRED-15")
def test_two_posts_at_once_register_once(wire: Wire, start: Start) -> None:
    """Concurrent POSTs with one token A: one succeeds, the other is 405 or 401."""
    platform, token_a = start(CPO), invited().token
    platform.hold(0.5, "GET /ocpi/versions")
    with ThreadPoolExecutor() as pool:
        posts = [pool.submit(wire.post, token_a, offer(platform)) for _ in range(3)]
        codes = sorted(post.result().status_code for post in posts)
    assert codes[0] == 200
    assert set(codes[1:]) <= {401, 405}
    assert Credentials.objects.filter(kind="C", direction="IN").count() == 1


@pytest.mark.conformance("CRED-27")
def test_tokens_appear_in_no_error_and_in_no_log(
    wire: Wire, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither answer nor log nor the operator's view of the error repeats a token."""
    caplog.set_level(logging.DEBUG)
    platform, token_a = start("CPO:NL:NEW"), invited().token
    body = offer(platform)
    bodies = [
        body,
        {**body, "roles": None},
        {**body, "url": "x"},
        json.dumps(body).encode()[:-5],
        {**body, "roles": [ROLE], "url": f"{platform.url}x"},
    ]
    answers = [wire.post(token_a, each).text for each in bodies]
    written = "\n".join([*answers, caplog.text, Platform.objects.get().last_error])
    assert "not among the parties" in written
    for token in (token_a, body["token"]):
        assert token not in written
        assert header(token)[6:] not in written


@pytest.mark.conformance("VER-09")
def test_unknown_modules_and_roles_are_ignored(wire: Wire, start: Start) -> None:
    """Custom modules and odd roles in a platform's details do no harm."""
    platform = start(CPO)
    platform.addresses.foreign += [
        {"identifier": "nltnm-foo", "role": "SENDER", "url": "https://example.com/foo"},
        {"identifier": "tariffs", "role": "BOTH", "url": "https://example.com/tariffs"},
    ]
    platform.register_with(wire.versions_url, invited().token)
    assert not Endpoint.objects.filter(url__contains="example.com").exists()


def _details(*endpoints: dict[str, str]) -> Any:
    data = json.dumps({"version": "2.2.1", "endpoints": list(endpoints)}).encode()
    return misbehaviour.say(200, envelope.render(data=data))


@pytest.mark.conformance("VER-04")
@pytest.mark.parametrize("roles", [["RECEIVER"], ["SENDER", "RECEIVER"]])
def test_the_role_of_credentials_says_nothing(wire: Wire, start: Start, roles: list[str]) -> None:
    """Platforms list credentials as RECEIVER or twice; it is one endpoint."""
    platform = start(CPO)
    url = platform.endpoint("credentials", "SENDER")
    listed = [{"identifier": "credentials", "role": role, "url": url} for role in roles]
    sender = {"identifier": "locations", "role": "SENDER", "url": f"{platform.url}/l"}
    with platform.answer("GET /ocpi/2.2.1", _details(*listed, sender)):
        assert code(wire.post(invited().token, offer(platform))) == (200, 1000)
    assert Endpoint.objects.get(module="credentials").role == "SENDER"


def test_a_forgotten_interface_role_is_inferred_from_the_only_fitting_one(
    wire: Wire, start: Start
) -> None:
    """A CPO can only mean SENDER of locations (A-84)."""
    platform = start(CPO)
    url = f"{platform.url}/locations"
    with platform.answer("GET /ocpi/2.2.1", _details({"identifier": "locations", "url": url})):
        assert code(wire.post(invited().token, offer(platform))) == (200, 1000)
    assert (Endpoint.objects.get().role, Endpoint.objects.get().url) == ("SENDER", url)


def test_a_details_url_in_place_of_the_versions_url_is_understood(wire: Wire, start: Start) -> None:
    """Some platforms send the URL of their details (A-85)."""
    platform = start(CPO)
    body = offer(platform, url=platform.url.replace("versions", "2.2.1"))
    assert code(wire.post(invited().token, body)) == (200, 1000)


def test_an_endpoint_at_a_forbidden_address_is_3001(wire: Wire, start: Start) -> None:
    """Every URL a platform gives passes the address guard before it is stored."""
    platform, token_a = start(CPO), invited().token
    metadata = {"identifier": "locations", "role": "SENDER", "url": "http://169.254.169.254/x"}
    with platform.answer("GET /ocpi/2.2.1", _details(metadata)):
        response = wire.post(token_a, offer(platform))
    assert code(response) == (200, 3001)
    assert "169.254.169.254" in said(response)
    _untouched(token_a, wire)


@pytest.mark.conformance("CRED-06")
def test_keeps_token_b_and_the_endpoints_for_its_own_calls(wire: Wire, start: Start) -> None:
    """After registration the hub holds B, knows every endpoint, and accepts C."""
    platform = start(EMSP, base64=False)
    heard: list[int] = []

    def hear(platform_id: int, **_: Any) -> None:
        heard.append(platform_id)

    platform_registered.connect(hear)
    platform.register_with(wire.versions_url, invited(EMSP, quirks=("base64=off",)).token)
    platform_registered.disconnect(hear)
    row = Platform.objects.get()
    assert heard == [row.pk]
    peer = peer_of(row.pk)
    assert peer.token == platform.tokens.issued[-1]
    assert peer.base64 is False
    assert row.status == ConnectionStatus.CONNECTED
    assert row.versions_url == platform.url
    known = {(e.module, e.role): e.url for e in row.endpoints.all()}
    offer = [(module, role) for module, roles in offered([Role.EMSP]).items() for role in roles]
    assert known == {
        (module, role): platform.endpoint(module, role)
        for module, role in [("credentials", "SENDER"), *offer]
    }
    assert code(wire.send("GET", authorization=f"Token {platform.hub.token}")) == (200, 1000)
    stored = Credentials.objects.get(direction="OUT").sealed
    assert peer.token not in stored
    platform.forget()
    renew_tokens(row)
    assert {seen.headers["Authorization"] for seen in platform.seen} == {f"Token {peer.token}"}


def test_business_details_are_kept_as_they_were_sent(wire: Wire, start: Start) -> None:
    """The text of business_details survives with spelling and unknown members."""
    platform = start(CPO)
    text = '{"name":"C\\u00e9 Po",  "x_y": 1.50}'
    body = json.dumps(offer(platform, roles=[{**ROLE, "business_details": "HERE"}]))
    response = wire.post(invited().token, body.replace('"HERE"', text).encode())
    assert code(response) == (200, 1000)
    party = Party.objects.get()
    assert party.business_details == text
    assert party.name == "Cé Po"
