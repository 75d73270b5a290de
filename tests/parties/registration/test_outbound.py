"""The hub registers with a platform."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from ocpi.errors import (
    InvalidParameters,
    NoMatchingEndpoints,
    OcpiError,
    UnsupportedVersion,
    UnusableApi,
)
from ocpi.transport.authorization import header
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Endpoint, Party, Platform
from parties.outbound_auth import peer_of
from parties.registration.inbound import disconnect
from parties.registration.outbound import (
    AlreadyRegistered,
    EndedMeanwhile,
    register,
    unregister,
)
from sandbox import misbehaviour
from sandbox.server import Call
from tests.parties.conftest import Start
from tests.parties.wire import CPO, Wire, code, connected, invited, offer, planned

ROUTING = ("OCPI-to-party-id", "OCPI-from-party-id")


def _assert_nothing_is_left(row: Platform) -> None:
    row = Platform.objects.get(pk=row.pk)
    assert row.status == ConnectionStatus.PLANNED
    assert not Credentials.objects.exists()
    assert not Endpoint.objects.exists()
    assert row.handshake_until is None
    assert row.last_error


@pytest.mark.conformance("CRED-28", "CRED-29", "CRED-36")
def test_runs_the_mirrored_flow(wire: Wire, start: Start) -> None:
    """Versions and details with A, POST with a fresh B that works at once, then C."""
    platform = start(CPO, versions=("2.2", "2.2.1"))
    token_a = platform.invite()
    row = planned()
    register(row, versions_url=platform.url, token_a=token_a)
    assert [str(seen) for seen in platform.seen] == [
        "GET /ocpi/versions",
        "GET /ocpi/2.2.1",
        "POST /ocpi/2.2.1/credentials",
    ]
    for seen in platform.seen:
        assert seen.headers["Authorization"] == header(token_a)
        assert not [name for name in ROUTING if name in seen.headers]
        assert seen.headers["X-Request-ID"]
    # The sandbox called back with B while the POST was open: it knows the hub's endpoints.
    assert platform.hub.connected.version == "2.2.1"
    assert code(wire.get(token=platform.hub.token)) == (200, 1000)
    assert peer_of(row.pk).token == platform.tokens.issued[-1]
    row.refresh_from_db()
    assert (row.status, row.version) == ("CONNECTED", "2.2.1")
    assert Party.objects.get().is_active


def _data_alone(call: Call) -> None:
    """Answer as usual, without a status code, behind a byte order mark."""
    answer = call.usual()
    data = json.dumps({"data": json.loads(answer.body)["data"]}).encode()
    call.send(replace(answer, body=b"\xef\xbb\xbf" + data))


def test_registers_with_a_platform_whose_envelopes_are_nearly_right(
    wire: Wire, start: Start
) -> None:
    """Versions, details and credentials are read all the same."""
    platform, row = start(CPO), planned()

    with platform.answer("/ocpi", _data_alone):
        register(row, versions_url=platform.url, token_a=platform.invite())

    assert code(wire.get(token=platform.hub.token)) == (200, 1000)
    row.refresh_from_db()
    assert row.status == ConnectionStatus.CONNECTED


def test_a_refusal_of_credentials_is_told_in_the_platforms_words(wire: Wire, start: Start) -> None:
    """Wherever its software puts them, without the hub's tokens."""
    platform, row = start(CPO), planned()
    token = platform.invite()
    said = json.dumps({"detail": [{"loc": ["body", "roles"], "msg": f"unknown to {token}"}]})

    with (
        platform.answer("POST", misbehaviour.say(422, said.encode())),
        pytest.raises(UnusableApi, match=r"HTTP 422: roles: unknown to \[token\]"),
    ):
        register(row, versions_url=platform.url, token_a=token)

    _assert_nothing_is_left(row)


@pytest.mark.conformance("CRED-30")
def test_does_not_post_when_endpoints_are_missing(wire: Wire, start: Start) -> None:
    """Without anything to use at the platform no credentials are sent; operators see why."""
    platform, row = start(CPO, modules={}), planned()
    with pytest.raises(NoMatchingEndpoints, match="locations SENDER"):
        register(row, versions_url=platform.url, token_a=platform.invite())
    assert not [seen for seen in platform.seen if seen.method == "POST"]
    _assert_nothing_is_left(row)


def test_does_not_post_without_a_common_version(wire: Wire, start: Start) -> None:
    """The sentence lists what both sides offer."""
    platform, row = start(CPO), planned()
    platform.addresses.versions[:] = ["2.1.1"]
    with pytest.raises(UnsupportedVersion, match=r"2\.1\.1.*2\.2\.1"):
        register(row, versions_url=platform.url, token_a=platform.invite())
    _assert_nothing_is_left(row)


@pytest.mark.conformance("CRED-31")
def test_a_lost_registration_is_renewed_by_put(wire: Wire, start: Start) -> None:
    """After a 405 the operator gives the token that is good there; PUT, and both sides agree."""
    platform = start(CPO)
    row = connected(platform)
    token = peer_of(row.pk).token
    disconnect(row, status=ConnectionStatus.PLANNED)
    with pytest.raises(AlreadyRegistered, match="--put"):
        register(row, versions_url=platform.url, token_a=token)
    register(row, versions_url=platform.url, token_a=token, method="PUT")
    assert str(platform.seen[-1]) == "PUT /ocpi/2.2.1/credentials"
    assert Platform.objects.get().is_registered
    assert code(wire.get(token=platform.hub.token)) == (200, 1000)
    assert peer_of(row.pk).token == platform.tokens.issued[-1]


@pytest.mark.conformance("CRED-05", "CRED-07")
def test_a_token_a_does_not_survive_a_registration_the_hub_started(
    wire: Wire, start: Start
) -> None:
    """Invited and registered from the hub's side meanwhile: the invitation is used up."""
    platform, token_a = start(CPO), invited().token
    register(Platform.objects.get(), versions_url=platform.url, token_a=platform.invite())
    assert code(wire.get(token=token_a)) == (401, 2001)
    assert code(wire.post(token_a, offer(platform))) == (401, 2001)
    assert code(wire.get(token=platform.hub.token)) == (200, 1000)


@pytest.mark.parametrize("suspending", [True, False])
def test_what_ended_the_connection_meanwhile_stands(
    wire: Wire, start: Start, *, suspending: bool
) -> None:
    """Suspended or reset while the POST is open: nothing connects it again, the peer hears it."""
    platform, row = start(CPO), planned()
    status = ConnectionStatus.SUSPENDED if suspending else ConnectionStatus.PLANNED

    def end_first(call: Any) -> None:
        answer = call.usual()
        disconnect(Platform.objects.get(), status=status)
        connection.close()  # of the platform's own thread
        call.send(answer)

    with (
        platform.answer("POST", end_first),
        pytest.raises(EndedMeanwhile, match="the connection with P1 was ended meanwhile"),
    ):
        register(row, versions_url=platform.url, token_a=platform.invite())
    assert Platform.objects.get().status == status
    assert not Credentials.objects.filter(revoked_at=None).exists()
    assert not Endpoint.objects.exists()
    assert str(platform.seen[-1]) == "DELETE /ocpi/2.2.1/credentials"
    assert platform.hub.connection is None


def test_a_refusal_with_a_nul_is_one_clear_error(wire: Wire, start: Start) -> None:
    """What a platform writes can be shown and stored, whatever it is."""
    platform, row = start(CPO), planned()
    refuse = misbehaviour.refuse(2001, "no\0\n" + "x" * 5000)
    with platform.answer("POST", refuse), pytest.raises(InvalidParameters, match="no  xxx"):
        register(row, versions_url=platform.url, token_a=platform.invite())
    _assert_nothing_is_left(row)


@pytest.mark.conformance("CRED-31")
@pytest.mark.parametrize(
    "responder,error,sentence",
    [
        (misbehaviour.refuse(2001, "registered", http_status=405), AlreadyRegistered, "reset"),
        (misbehaviour.detail(405, "Method Not Allowed"), AlreadyRegistered, "reset"),
        (misbehaviour.refuse(3001, "cannot reach you"), UnusableApi, "cannot reach you"),
        (misbehaviour.refuse(3002, "too new"), UnsupportedVersion, "too new"),
        (misbehaviour.refuse(3003, "no CDRs"), NoMatchingEndpoints, "no CDRs"),
        (misbehaviour.detail(422, "missing logo"), UnusableApi, "HTTP 422"),
        (misbehaviour.html(500), UnusableApi, "HTTP 500"),
        (misbehaviour.reset(), UnusableApi, "cannot be reached"),
        (misbehaviour.broken_json(), UnusableApi, "nothing says|cannot be used"),
    ],
)
def test_a_refused_post_is_reported_once_and_leaves_nothing(
    wire: Wire, start: Start, responder: Any, error: type[OcpiError], sentence: str
) -> None:
    """Each refusal is one clear error; there is no second attempt and no trace but the reason."""
    platform, row = start(CPO), planned()
    with platform.answer("POST", responder), pytest.raises(error, match=sentence):
        register(row, versions_url=platform.url, token_a=platform.invite())
    assert len([seen for seen in platform.seen if seen.method == "POST"]) == 1
    _assert_nothing_is_left(row)


def test_takes_the_roles_from_the_answer(wire: Wire, start: Start) -> None:
    """The parties are those the platform names; who is merely allowed is none yet."""
    roles = ("EMSP:DE:MSA", "CPO:NL:CPA", "CPO:NL:CPB")
    platform = start(*roles[:2])
    register(planned(*roles), versions_url=platform.url, token_a=platform.invite())
    active = {str(party) for party in Party.objects.filter(is_active=True)}
    assert active == {"DE-MSA (EMSP)", "NL-CPA (CPO)"}


def test_takes_a_registration_back_when_the_parties_are_not_agreed(
    wire: Wire, start: Start
) -> None:
    """A platform that names parties of others is not connected, and learns so by DELETE."""
    platform, row = start("CPO:NL:XXX"), planned()
    with pytest.raises(InvalidParameters, match="CPO NL-XXX is not among the parties agreed"):
        register(row, versions_url=platform.url, token_a=platform.invite())
    assert str(platform.seen[-1]) == "DELETE /ocpi/2.2.1/credentials"
    assert platform.hub.connection is None
    _assert_nothing_is_left(row)


def test_understands_credentials_wrapped_in_a_list(wire: Wire, start: Start) -> None:
    """Some platforms send single objects as a list of one."""
    platform = start(CPO, wrap_objects=True)

    def wrapped(call: Any) -> None:
        answer = call.usual()
        body = answer.body.replace(b'"data":{', b'"data":[{').replace(b'},"status', b'}],"status')
        call.send(type(answer)(answer.http_status, body, answer.headers))

    platform.answer("POST", wrapped)
    assert connected(platform).is_registered


def test_refuses_to_register_twice(wire: Wire, start: Start) -> None:
    """A registered platform is renewed, not registered again."""
    platform = start(CPO)
    row = connected(platform)
    with pytest.raises(AlreadyRegistered, match="rotate_credentials"):
        register(row, versions_url=platform.url, token_a=platform.invite())


def test_a_refusal_that_repeats_the_token_is_masked(wire: Wire, start: Start) -> None:
    """Whatever a platform writes into its message, no token gets into the operator's view."""
    platform, row = start(CPO), planned()

    def repeat(call: Any) -> None:
        token = call.seen.json["token"]
        misbehaviour.refuse(2001, f"token {token} is ugly")(call)

    with (
        platform.answer("POST", repeat),
        pytest.raises(InvalidParameters, match=r"token \[token\] is ugly"),
    ):
        register(row, versions_url=platform.url, token_a=platform.invite())


def test_goodbye_is_said_by_delete_and_needs_no_answer(wire: Wire, start: Start) -> None:
    """A platform that is gone does not keep the hub from forgetting it."""
    platform = start(CPO)
    row = connected(platform)
    with platform.answer("DELETE", misbehaviour.reset()):
        unregister(row)
    unregister(row)
    assert platform.hub.connection is None
