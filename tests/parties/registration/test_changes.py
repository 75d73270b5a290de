"""A registered platform changes or ends its registration: PUT, DELETE and GET credentials."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from ocpi.transport.authorization import header
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Endpoint, Party, Platform
from parties.outbound_auth import peer_of
from parties.signals import platform_changed, platform_removed
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from tests.cast import a_location, push
from tests.parties.conftest import Start
from tests.parties.wire import CPO, Wire, code, invited, offer, said


@pytest.mark.conformance("CRED-16")
def test_put_fetches_everything_again_and_rotates(wire: Wire, registered: SandboxPlatform) -> None:
    """Endpoints that moved are found although the version is the same; C and B are renewed."""
    old_c, old_b = registered.hub.token, peer_of(Platform.objects.get().pk).token
    registered.move("locations", "SENDER", "/somewhere/else")
    registered.forget()
    registered.rotate()
    requests = [str(seen) for seen in registered.seen]
    assert requests == ["GET /ocpi/versions", "GET /ocpi/2.2.1"]
    assert Endpoint.objects.get(module="locations", role="SENDER").url.endswith("/somewhere/else")
    new_b = peer_of(Platform.objects.get().pk).token
    assert new_b != old_b
    assert registered.hub.token != old_c
    assert {seen.headers["Authorization"] for seen in registered.seen} == {header(new_b)}


@pytest.mark.conformance("CRED-16")
def test_a_push_goes_where_the_last_put_said(
    pair: tuple[SandboxPlatform, SandboxPlatform], deliver_all: Callable[[], int]
) -> None:
    """Once a platform named another RECEIVER URL, changes arrive there, with its new token."""
    cpo, emsp = pair
    emsp.move("locations", "RECEIVER", "/moved/locations")
    emsp.rotate()
    emsp.forget()
    push(cpo, a_location())
    deliver_all()
    [seen] = [seen for seen in emsp.seen if seen.method == "PUT"]
    assert seen.path.startswith("/moved/locations/NL/CPA/")
    new_b = peer_of(Platform.objects.get(parties__key="DE-MSA").pk).token
    assert seen.headers["Authorization"] == header(new_b)


@pytest.mark.conformance("CRED-17")
def test_put_at_another_version_switches_to_it(wire: Wire, start: Start) -> None:
    """The connection changes to the version whose credentials endpoint was called."""
    platform = start(CPO, versions=("2.2", "2.2.1"))
    platform.register_with(wire.versions_url, invited().token)
    assert Platform.objects.get().version == "2.2.1"
    platform.switch("2.2")
    assert Platform.objects.get().version == "2.2"
    assert all("/2.2/" in endpoint.url for endpoint in Endpoint.objects.all())


@pytest.mark.conformance("CRED-19")
@pytest.mark.parametrize(
    "responder,answer",
    [
        (misbehaviour.unauthorized(), 3001),
        (misbehaviour.html(), 3001),
        (misbehaviour.hang(30), 3001),
    ],
)
def test_a_failed_put_leaves_both_tokens_as_they_were(
    wire: Wire, registered: SandboxPlatform, responder: Any, answer: int
) -> None:
    """The new token is tried before it is stored; if it fails everything old still works."""
    before = Platform.objects.get()
    old_b, endpoints = peer_of(before.pk).token, Endpoint.objects.count()
    with registered.answer("GET /ocpi/versions", responder):
        response = wire.put(registered.hub.token, offer(registered))
    assert code(response) == (200, answer)
    assert peer_of(before.pk).token == old_b
    assert Endpoint.objects.count() == endpoints
    assert Platform.objects.get().status == ConnectionStatus.CONNECTED
    assert code(wire.get(token=registered.hub.token)) == (200, 1000)


@pytest.mark.conformance("CRED-20")
def test_the_former_token_ends_with_the_first_use_of_the_new_one(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """Right after PUT the old C still works; once the new one was used it does not."""
    old = registered.hub.token
    registered.rotate()
    assert code(wire.get(token=old)) == (200, 1000)
    assert code(wire.get(token=registered.hub.token)) == (200, 1000)
    assert code(wire.get(token=old)) == (401, 2001)


@pytest.mark.conformance("CRED-20")
def test_the_former_token_ends_with_the_grace_period(
    wire: Wire, registered: SandboxPlatform, settings: LazySettings
) -> None:
    """A new token that is never used does not keep the old one alive for ever."""
    settings.HUB_ROTATION_GRACE_SECONDS = 0
    old = registered.hub.token
    registered.rotate()
    assert code(wire.get(token=old)) == (401, 2001)
    assert code(wire.get(token=registered.hub.token)) == (200, 1000)


def test_a_lost_answer_to_put_does_not_lock_a_platform_out(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """A platform that never got the new token repeats its PUT with the old one."""
    for _ in range(2):
        response = wire.put(registered.hub.token, offer(registered))
        assert code(response) == (200, 1000)
    newest = response.json()["data"]["token"]
    assert code(wire.get(token=newest)) == (200, 1000)
    assert Credentials.objects.inbound(Platform.objects.get()).count() == 1


def test_put_applies_to_the_roles(wire: Wire, start: Start) -> None:
    """Parties added by PUT are active, those left out are SUSPENDED; others hear of the change."""
    roles = ("CPO:NL:CPA", "CPO:NL:CPB", "CPO:NL:CPC")
    platform = start(*roles[:2])
    platform.register_with(wire.versions_url, invited(*roles).token)
    assert Party.objects.get(party_id="CPC").status is ConnectionStatus.PLANNED
    heard: list[int] = []

    def hear(platform_id: int, **_: Any) -> None:
        heard.append(platform_id)

    body = offer(platform)
    [first, second] = body["roles"]
    platform_changed.connect(hear)
    response = wire.put(
        platform.hub.token, {**body, "roles": [first, {**second, "party_id": "CPC"}]}
    )
    platform_changed.disconnect(hear)
    assert code(response) == (200, 1000)
    assert heard == [Platform.objects.get().pk]
    statuses = {party.party_id: str(party.status) for party in Party.objects.all()}
    assert statuses == {"CPA": "CONNECTED", "CPB": "SUSPENDED", "CPC": "CONNECTED"}


@pytest.mark.conformance("CRED-13")
def test_put_cannot_take_a_party_outside_the_list(wire: Wire, registered: SandboxPlatform) -> None:
    """A refused PUT changes nothing."""
    body = offer(registered)
    taken = {**body["roles"][0], "party_id": "XXX"}
    response = wire.put(registered.hub.token, {**body, "roles": [*body["roles"], taken]})
    assert code(response) == (200, 2001)
    assert "CPO NL-XXX" in said(response)
    assert [party.party_id for party in Party.objects.all()] == ["CPA"]
    assert code(wire.get(token=registered.hub.token)) == (200, 1000)


@pytest.mark.conformance("CRED-24")
def test_get_returns_the_hubs_credentials_for_this_caller(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """The token is the one presented, the url the versions URL, the role HUB."""
    data = wire.get("2.2.1/credentials", token=registered.hub.token).json()["data"]
    assert data["token"] == registered.hub.token
    assert data["url"] == wire.versions_url
    assert [role["role"] for role in data["roles"]] == ["HUB"]


def test_delete_ends_the_connection_in_both_directions(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """Both tokens are gone, the endpoints too, the party is SUSPENDED; the data stays."""
    heard: list[int] = []

    def hear(platform_id: int, **_: Any) -> None:
        heard.append(platform_id)

    token = registered.hub.token
    platform_removed.connect(hear)
    assert code(wire.send("DELETE", "2.2.1/credentials", token=token)) == (200, 1000)
    platform_removed.disconnect(hear)
    assert code(wire.get(token=token)) == (401, 2001)
    platform = Platform.objects.get()
    assert heard == [platform.pk]
    assert platform.status == ConnectionStatus.SUSPENDED
    assert not Credentials.objects.outbound(platform).exists()
    assert not Endpoint.objects.exists()
    assert Party.objects.get().status is ConnectionStatus.SUSPENDED


def test_an_unregistered_platform_comes_back_by_a_new_invitation(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """Re-registration from SUSPENDED is allowed (A-116)."""
    registered.unregister()
    registered.register_with(wire.versions_url, invited().token)
    assert Platform.objects.get().status == ConnectionStatus.CONNECTED
    assert code(wire.get(token=registered.hub.token)) == (200, 1000)


def test_a_reset_platform_registers_anew_and_keeps_its_row(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """A peer that lost its database gets a new token A; the old token is dead (A-80)."""
    old, row = registered.hub.token, Platform.objects.get()
    token_a = invited(reset=True).token
    assert code(wire.get(token=old)) == (401, 2001)
    assert Platform.objects.get().status == ConnectionStatus.PLANNED
    registered.register_with(wire.versions_url, token_a)
    assert Platform.objects.get().pk == row.pk


def test_a_new_invitation_withdraws_the_one_before(wire: Wire) -> None:
    """Only the newest token A is good."""
    first, second = invited().token, invited().token
    assert code(wire.get(token=first)) == (401, 2001)
    assert code(wire.get(token=second)) == (200, 1000)


def test_a_put_that_lost_its_token_meanwhile_changes_nothing(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """A reset by the operator wins over a PUT that is still asking its platform."""
    token, body = registered.hub.token, offer(registered)

    def reset_first(call: Any) -> None:
        invited(reset=True)
        connection.close()  # of the platform's own thread
        call.send(call.usual())

    with registered.answer("GET /ocpi/versions", reset_first):
        response = wire.put(token, body)
    assert code(response) == (401, 2001)
    assert Platform.objects.get().status == ConnectionStatus.PLANNED
    assert not Credentials.objects.outbound(Platform.objects.get()).exists()


def test_a_second_exchange_waits_its_turn(wire: Wire, registered: SandboxPlatform) -> None:
    """While one PUT is under way another is refused, and nothing is broken by it."""
    answers: list[tuple[int, int]] = []

    def another_put(call: Any) -> None:
        answers.append(code(wire.put(registered.hub.token, offer(registered))))
        call.send(call.usual())

    with registered.answer("GET /ocpi/versions", another_put):
        answers.append(code(wire.put(registered.hub.token, offer(registered))))
    assert answers == [(405, 2001), (200, 1000)]
