"""Two simulated platforms register, rotate and part as the credentials chapter says."""

import pytest

from ocpi.errors import UnsupportedVersion
from ocpi.transport.authorization import header
from sandbox import Refused, SandboxPlatform
from sandbox.misbehaviour import detail, html


def test_it_registers_by_the_sequence_of_the_specification(
    cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Versions and details with token A, POST; the receiver calls back with B before it answers."""
    token_a = emsp.invite()

    answer = cpo.register_with(emsp.url, token_a)

    asked = [(seen.method, seen.route, seen.headers["Authorization"]) for seen in emsp.seen]
    assert asked == [
        ("GET", "/ocpi/versions", header(token_a)),
        ("GET", "/ocpi/2.2.1", header(token_a)),
        ("POST", "/ocpi/2.2.1/credentials", header(token_a)),
    ]
    token_b = cpo.tokens.issued[0]
    assert [(seen.route, seen.headers["Authorization"]) for seen in cpo.seen] == [
        ("/ocpi/versions", header(token_b)),
        ("/ocpi/2.2.1", header(token_b)),
    ]
    assert (cpo.hub.token, emsp.hub.token) == (answer.data["token"], token_b)
    assert (cpo.hub.party, emsp.hub.party) == (emsp.party, cpo.party)


def test_token_a_ends_with_the_registration(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """Token A opens versions and credentials only, and nothing once it was used."""
    token_a = emsp.invite()
    versions, tokens = emsp.url, emsp.endpoint("tokens", "SENDER")

    assert cpo.hub.call("GET", versions, token=token_a).succeeded
    assert cpo.hub.call("GET", tokens, token=token_a).http_status == 401
    cpo.register_with(emsp.url, token_a)

    assert cpo.hub.call("GET", versions, token=token_a).http_status == 401
    assert cpo.hub.call("GET", tokens).succeeded


def test_an_unknown_token_gets_401_and_an_envelope(
    cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Nobody without a token gets anything."""
    answer = cpo.hub.call("GET", emsp.url, token="nobody")

    assert (answer.http_status, answer.status_code, answer.data) == (401, 2001, None)
    assert cpo.hub.call("GET", emsp.url, token="x", Authorization=None).http_status == 401


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_registered_platform_cannot_post_again(connected: SandboxPlatform, method: str) -> None:
    """POST MUST return 405 if the client has been registered before; there is no PATCH."""
    url = connected.hub.endpoint("credentials", "SENDER")

    answer = connected.hub.call(method, url, connected.credentials("token"))

    assert (answer.http_status, answer.headers["Allow"]) == (405, "DELETE, GET, PUT")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_unregistered_platform_cannot_put_or_delete(
    cpo: SandboxPlatform, emsp: SandboxPlatform, method: str
) -> None:
    """PUT and DELETE MUST return 405 if the client has not been registered before."""
    url = emsp.endpoint("credentials", "SENDER")

    answer = cpo.hub.call(method, url, cpo.credentials("token"), token=emsp.invite())

    assert answer.http_status == 405


def test_credentials_can_be_read(connected: SandboxPlatform) -> None:
    """GET returns the credentials to access the server, the presented token included."""
    answer = connected.hub.get("credentials", "SENDER")

    assert answer.data["token"] == connected.hub.token
    assert [role["role"] for role in answer.data["roles"]] == ["EMSP"]


def test_rotation_renews_both_tokens(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """PUT gives both sides a new token; the old one holds until the new one is first used."""
    old_out, old_in = connected.hub.token, emsp.hub.token

    connected.rotate()

    assert connected.hub.token != old_out
    assert emsp.hub.token != old_in
    assert connected.hub.call("GET", emsp.url, token=old_out).succeeded
    assert connected.hub.call("GET", emsp.url).succeeded
    assert connected.hub.call("GET", emsp.url, token=old_out).http_status == 401
    assert emsp.hub.call("GET", connected.url).succeeded


def test_a_failed_rotation_changes_nothing(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """Both sides keep the tokens they had when the PUT is not answered."""
    old = connected.hub.connection, emsp.hub.connection, connected.tokens.valid

    with emsp.answer("PUT /credentials", html(500)), pytest.raises(Refused, match="HTTP 500"):
        connected.rotate()

    assert (connected.hub.connection, emsp.hub.connection, connected.tokens.valid) == old


def test_a_put_of_another_version_switches(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """A PUT switches to the version that contains the credentials endpoint."""
    connected.switch("2.2")

    assert connected.hub.connected.version == emsp.hub.connected.version == "2.2"
    assert "/ocpi/2.2/receiver" in connected.hub.endpoint("locations", "RECEIVER")


def test_unregistering_ends_both_tokens(connected: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """After DELETE neither side can speak to the other."""
    token = connected.hub.token

    connected.unregister()

    assert (connected.tokens.valid, emsp.tokens.valid, emsp.hub.connection) == ({}, {}, None)
    assert connected.hub.call("GET", emsp.url, token=token).http_status == 401


def test_an_unusable_caller_gets_3001_and_may_try_again(
    cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """A failed attempt leaves no state behind, and token A stays good."""
    token_a = emsp.invite()

    with cpo.answer("/versions", html(500)), pytest.raises(Refused, match="status_code 3001"):
        cpo.register_with(emsp.url, token_a)
    assert (emsp.hub.connection, cpo.tokens.valid) == (None, {})

    assert cpo.register_with(emsp.url, token_a).succeeded


def test_platforms_without_a_mutual_version_do_not_register(emsp: SandboxPlatform) -> None:
    """The sender does not POST when it finds no version it speaks."""
    emsp.addresses.versions.remove("2.2.1")
    cpo = SandboxPlatform(versions=("2.2.1",))

    with cpo, pytest.raises(UnsupportedVersion):
        cpo.register_with(emsp.url, emsp.invite())

    assert {seen.method for seen in emsp.seen} == {"GET"}


def test_a_moved_endpoint_is_found_after_a_put(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """The server must fetch the endpoints again on PUT, so that moved ones are used."""
    emsp.move("locations", "RECEIVER", "/elsewhere")
    emsp.move("locations", "SENDER", None)
    emsp.addresses.foreign.append({"identifier": "nltnm-x", "role": "SENDER", "url": "http://x"})
    emsp.rotate()

    assert connected.hub.endpoint("locations", "RECEIVER").endswith("/elsewhere")
    with pytest.raises(LookupError):
        connected.hub.endpoint("locations", "SENDER")
    assert connected.hub.endpoint("nltnm-x", "SENDER") == "http://x"


def test_a_platform_takes_the_token_in_its_own_form_only(emsp: SandboxPlatform) -> None:
    """By default only base64 is taken; a raw sender takes both, unless it says otherwise."""
    with SandboxPlatform(base64=False) as raw, SandboxPlatform(accepts="raw") as picky:
        token = emsp.invite()

        assert raw.hub.call("GET", emsp.url, token=token).http_status == 401
        assert emsp.hub.call("GET", raw.url, token=raw.invite()).succeeded
        assert raw.hub.call("GET", raw.url, token=raw.invite()).succeeded
        assert emsp.hub.call("GET", picky.url, token=picky.invite()).http_status == 401


def test_bare_errors_carry_no_envelope(cpo: SandboxPlatform) -> None:
    """Some platforms answer 403 and {"detail": …} to a bad token."""
    with SandboxPlatform(bare_errors=True) as platform:
        answer = cpo.hub.call("GET", platform.url, token="nobody")

    assert (answer.http_status, answer.json) == (403, {"detail": "unknown token"})


def test_a_refused_call_with_an_envelope_may_be_bare(
    cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    """The handshake fails with the answer in hand when versions are not an envelope."""
    with emsp.answer("/versions", detail(200)), pytest.raises(Refused) as refused:
        cpo.register_with(emsp.url, emsp.invite())

    assert refused.value.result.json == {"detail": "Forbidden"}
