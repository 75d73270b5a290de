"""The hub renews the tokens of a platform, in both directions."""

from typing import Any

import pytest
from django.db import connection

from ocpi.errors import (
    InvalidParameters,
    OcpiError,
    UnusableApi,
)
from ocpi.transport.authorization import header
from parties.connection_status import ConnectionStatus
from parties.models import AllowedParty, Credentials, Party, Platform
from parties.outbound_auth import peer_of
from parties.registration.inbound import disconnect
from parties.registration.outbound import (
    EndedMeanwhile,
    renew_tokens,
)
from sandbox import misbehaviour
from tests.parties.conftest import Start
from tests.parties.wire import CPO, Wire, code, connected, planned


def test_rotation_renews_both_tokens_with_overlap(wire: Wire, start: Start) -> None:
    """PUT with a fresh token; the former inbound one works until the new one was used."""
    platform = start(CPO)
    row = connected(platform)
    in_before, out_before = platform.hub.token, peer_of(row.pk).token
    platform.forget()
    renew_tokens(row)
    assert [str(seen) for seen in platform.seen][-1] == "PUT /ocpi/2.2.1/credentials"
    assert {seen.headers["Authorization"] for seen in platform.seen} == {header(out_before)}
    assert peer_of(row.pk).token not in {out_before, in_before}
    assert platform.hub.token != in_before
    assert code(wire.get(token=in_before)) == (200, 1000)
    assert code(wire.get(token=platform.hub.token)) == (200, 1000)
    assert code(wire.get(token=in_before)) == (401, 2001)


@pytest.mark.conformance("CRED-32")
@pytest.mark.parametrize(
    "responder",
    [
        misbehaviour.html(500),
        misbehaviour.refuse(3001),
        misbehaviour.refuse(2000, http_status=400),
        misbehaviour.reset(),
        misbehaviour.unauthorized(),
    ],
)
def test_a_failed_rotation_loses_no_token(wire: Wire, start: Start, responder: Any) -> None:
    """The platform refused: the old tokens go on in both directions."""
    platform = start(CPO)
    row = connected(platform)
    token_in, token_out = platform.hub.token, peer_of(row.pk).token
    with platform.answer("PUT", responder), pytest.raises(OcpiError):
        renew_tokens(row)
    assert peer_of(row.pk).token == token_out
    for _ in range(2):
        assert code(wire.get(token=token_in)) == (200, 1000)
    renew_tokens(row)
    assert code(wire.get(token=platform.hub.token)) == (200, 1000)


@pytest.mark.conformance("CRED-32")
def test_a_rotation_with_a_lost_answer_keeps_old_and_new(wire: Wire, start: Start) -> None:
    """The platform took the new token but its answer never came: it may use either."""
    platform = start(CPO)
    row = connected(platform)
    old_in = platform.hub.token
    with (
        platform.answer("PUT", misbehaviour.swallow(4)),
        pytest.raises(UnusableApi, match="in time"),
    ):
        renew_tokens(row)
    new_in = platform.hub.token
    assert new_in != old_in
    assert code(wire.get(token=old_in)) == (200, 1000)
    assert code(wire.get(token=new_in)) == (200, 1000)


def test_a_token_no_answer_confirmed_does_not_live_for_ever(wire: Wire, start: Start) -> None:
    """It ends after a day, or with the next rotation; its first use makes it the one in force."""
    platform = start(CPO)
    row = connected(platform)
    for _ in range(2):
        with platform.answer("PUT", misbehaviour.html(500)), pytest.raises(OcpiError):
            renew_tokens(row)
    waiting = Credentials.objects.inbound(row).filter(provisional=True)
    assert [each.valid_until is not None for each in waiting] == [True, True]
    renew_tokens(row)
    assert not Credentials.objects.inbound(row).filter(provisional=True).exists()
    with platform.answer("PUT", misbehaviour.swallow(4)), pytest.raises(OcpiError):
        renew_tokens(row)
    assert code(wire.get("2.2.1/sender/locations", token=platform.hub.token)) == (200, 1000)
    [in_force] = Credentials.objects.inbound(row)
    assert (in_force.provisional, in_force.valid_until) == (False, None)


def test_a_rotation_that_leaves_no_party_changes_nothing(wire: Wire, start: Start) -> None:
    """Every role in the answer is refused: the registration stays as it was."""
    platform = start(CPO)
    row = connected(platform)
    token_in, token_out = platform.hub.token, peer_of(row.pk).token
    AllowedParty.objects.all().delete()
    with pytest.raises(InvalidParameters, match="not among the parties agreed"):
        renew_tokens(row)
    assert peer_of(row.pk).token == token_out
    assert Party.objects.get().is_active
    assert code(wire.get(token=token_in)) == (200, 1000)


def test_a_platform_that_never_registered_has_no_tokens_to_renew(wire: Wire) -> None:
    """The error says the status of the platform."""
    with pytest.raises(UnusableApi, match="P1 is PLANNED"):
        renew_tokens(planned())


def test_a_suspension_during_a_rotation_stands(wire: Wire, start: Start) -> None:
    """Suspended while the PUT is open: no token is good afterwards."""
    platform = start(CPO)
    row = connected(platform)

    def suspend_first(call: Any) -> None:
        answer = call.usual()
        disconnect(Platform.objects.get(), status=ConnectionStatus.SUSPENDED)
        connection.close()  # of the platform's own thread
        call.send(answer)

    with platform.answer("PUT", suspend_first), pytest.raises(EndedMeanwhile):
        renew_tokens(row)
    assert Platform.objects.get().status == ConnectionStatus.SUSPENDED
    assert not Credentials.objects.filter(revoked_at=None).exists()
    assert platform.hub.connection is None
