"""A platform registers with the hub: POST credentials."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from ocpi.transport.authorization import header
from ocpi.types import Role
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Endpoint, Party, Platform, TokenKind
from parties.outbound_auth import peer_of
from parties.registration.outbound import renew_tokens
from parties.signals import platform_registered
from sandbox.default_endpoints import offered
from sandbox.platform import SandboxPlatform
from sandbox.server import Call
from tests.parties.conftest import Start
from tests.parties.wire import CPO, EMSP, Wire, assert_untouched, code, invited, offer, said

ROUTING = (
    "OCPI-to-party-id",
    "OCPI-to-country-code",
    "OCPI-from-party-id",
    "OCPI-from-country-code",
)


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
    assert_untouched(token_a, wire)


@pytest.mark.parametrize("body", [b"", b'{"token":', b"[1]"])
def test_a_body_that_is_no_object_is_refused(wire: Wire, body: bytes) -> None:
    """Broken JSON is HTTP 400; another JSON value is 2001."""
    token_a = invited().token
    assert code(wire.post(token_a, body)) == ((200, 2001) if body == b"[1]" else (400, 2001))
    assert_untouched(token_a, wire)


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
