"""What a platform that registers offers: its versions, their details, and what is wrong with them.

Spec: 2.2.1 versions; credentials, errors during registration.
"""

import json
import time
from typing import Any

import pytest
from django.db import connection

from ocpi.client import AddressPolicy
from ocpi.transport import envelope
from parties.models import Endpoint, Platform
from sandbox import misbehaviour
from sandbox.server import Call
from tests.database_backend.pool import held
from tests.other_client import other_client
from tests.parties.conftest import Start
from tests.parties.wire import CPO, Wire, assert_untouched, code, invited, offer, said


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
    assert_untouched(token_a, wire)
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
    assert_untouched(token_a, wire)


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
    assert_untouched(token_a, wire)


@pytest.mark.conformance("CRED-08", "CRED-11")
def test_a_platform_without_tls_behind_https_is_3001(wire: Wire, start: Start) -> None:
    """A failing TLS handshake is a platform that cannot be reached."""
    platform, token_a = start(CPO), invited().token
    response = wire.post(token_a, offer(platform, url=platform.url.replace("http:", "https:")))
    assert code(response) == (200, 3001)
    assert "cannot be reached" in said(response)
    assert_untouched(token_a, wire)


@pytest.mark.conformance("CRED-08", "CRED-11")
def test_a_platform_at_a_private_address_is_3001_unless_allowed(wire: Wire, start: Start) -> None:
    """Loopback is refused by the address guard of production, before anything is sent."""
    platform, token_a = start(CPO), invited().token
    with other_client(AddressPolicy(allow_private=False, allow_http=True)):
        response = wire.post(token_a, offer(platform))
    assert code(response) == (200, 3001)
    assert "private address" in said(response)
    assert platform.seen == []
    assert_untouched(token_a, wire)
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
    assert_untouched(token_a, wire)


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
    assert_untouched(token_a, wire)


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
    assert_untouched(token_a, wire)
