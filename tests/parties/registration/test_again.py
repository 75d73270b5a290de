"""A registration that was stored is answered so, and one whose answer was lost can be repeated."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection
from django.dispatch import Signal

from hub.client_info import status
from hub.delivery import subscriptions
from hub.models import ClientInfo, PullState, Snapshot, Subscription
from hub.pull import schedule
from ocpi.errors import MethodNotAllowed
from ocpi.server import answered
from ocpi.transport.authorization import header
from parties import hub_identity
from parties.authentication import identify
from parties.connection_status import ConnectionStatus
from parties.models import Agreement, AgreementState, Credentials, Party, Platform
from parties.operations import revoke_former
from parties.outbound_auth import peer_of
from parties.registration import inbound
from parties.registration.invitation import AllowedRole, prepare
from parties.registration.outbound import Unanswered, register, renew_tokens
from parties.signals import platform_changed, platform_registered
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from tests.parties.conftest import Start
from tests.parties.wire import CPO, EMSP, Wire, code, invited, offer, said

NUMBER = 60
AT_ONCE = 4
PAUSE_SECONDS = 0.02
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def _role(number: int) -> str:
    return f"{'CPO:NL:C' if number % 2 else 'EMSP:DE:M'}{number:02}"


@contextmanager
def _workers() -> Iterator[None]:
    """Keep bringing everything in line, as workers do whenever somebody registers."""
    over, failed = threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            while not over.wait(PAUSE_SECONDS):
                subscriptions.reconcile()
                schedule.reconcile()
                status.refresh_statuses()
        except BaseException as error:  # noqa: BLE001 - the test shows it
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.security("S-16")
def test_sixty_register_while_workers_are_busy(wire: Wire, start: Start) -> None:
    """However many register at once, with agreements made before, each one learns its token."""
    peer = start(CPO, EMSP)
    tokens = {number: invited(_role(number), name=f"P{number}").token for number in range(NUMBER)}
    cpos, emsps = Party.objects.filter(role="CPO"), Party.objects.filter(role="EMSP")
    Agreement.objects.bulk_create(
        Agreement(cpo=cpo, emsp=emsp, state=AgreementState.ACTIVE)
        for cpo, emsp in product(cpos[::5], emsps)
    )

    def register_one(number: int) -> tuple[int, int]:
        role, country, party = _role(number).split(":")
        claimed = {
            "role": role,
            "country_code": country,
            "party_id": party,
            "business_details": {"name": f"P{number}"},
        }
        return code(wire.post(tokens[number], offer(peer, roles=[claimed])))

    with _workers(), ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(register_one, range(NUMBER)))

    assert answers == [(200, 1000)] * NUMBER
    assert Platform.objects.filter(status=ConnectionStatus.CONNECTED).count() == NUMBER
    subscriptions.reconcile()
    assert Snapshot.objects.exists()


@contextmanager
def _failing(signal: Signal) -> Iterator[None]:
    def fail(**_: Any) -> None:
        message = "a listener that does not work"
        raise RuntimeError(message)

    signal.connect(fail)
    yield
    signal.disconnect(fail)


@pytest.mark.security("S-16")
@pytest.mark.parametrize("signal", [platform_registered, platform_changed, answered])
def test_what_listens_after_the_commit_does_not_change_the_answer(
    wire: Wire, start: Start, signal: Signal
) -> None:
    """Registered is registered: what fails afterwards is the hub's own business."""
    platform, token_a = start(CPO), invited().token
    with _failing(signal):
        assert code(wire.post(token_a, offer(platform))) == (200, 1000)


@pytest.mark.security("S-16")
def test_the_end_of_an_exchange_does_not_change_the_answer(wire: Wire, start: Start) -> None:
    """It is stored; that it is over may fail to be written down."""
    platform, token_a = start(CPO), invited().token
    with _vanishing_after(platform_registered, "parties_platform", "handshake_until"):
        assert code(wire.post(token_a, offer(platform))) == (200, 1000)
    assert Platform.objects.get().handshake_until is not None


@contextmanager
def _vanishing_after(signal: Signal, table: str, column: str) -> Iterator[None]:
    """Take a column away once something was committed."""

    def rename(name: str, new: str) -> None:
        with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
            other.execute(f'ALTER TABLE "{table}" RENAME COLUMN "{name}" TO "{new}"'.encode())

    def vanish(**_: Any) -> None:
        rename(column, "gone")

    signal.connect(vanish)
    try:
        yield
    finally:
        signal.disconnect(vanish)
        rename("gone", column)


@pytest.mark.security("S-16")
@pytest.mark.conformance("CRED-05")
def test_a_registration_whose_answer_was_lost_is_repeated(wire: Wire, start: Start) -> None:
    """With token A once more, until the new token is used: then A opens nothing any more (A-79)."""
    platform, token_a = start(CPO), invited().token
    lost = wire.post(token_a, offer(platform)).json()["data"]["token"]
    body = offer(platform)
    again = wire.post(token_a, body)
    assert code(again) == (200, 1000)
    token = again.json()["data"]["token"]

    assert token != lost
    assert code(wire.get(token=lost)) == (401, 2001)
    assert peer_of(Platform.objects.get().pk).token == body["token"]
    assert code(wire.post(token_a, offer(platform))) == (200, 1000)  # nothing was used yet
    token = wire.post(token_a, offer(platform)).json()["data"]["token"]
    assert code(wire.get(token=token)) == (200, 1000)
    assert code(wire.post(token_a, offer(platform))) == (401, 2001)
    assert code(wire.post(token, offer(platform))) == (405, 2001)
    assert code(wire.get(token=token)) == (200, 1000)


@pytest.mark.security("S-16")
def test_a_token_a_opens_nothing_but_the_repeated_post(wire: Wire, start: Start) -> None:
    """What was asked for with it may be asked for again, and no more; the 401 says how."""
    platform, token_a = start(CPO), invited().token
    wire.post(token_a, offer(platform))
    for method, path in (
        ("GET", "versions"),
        ("GET", "2.2.1/credentials"),
        ("DELETE", CREDENTIALS),
    ):
        refused = wire.send(method, path, token=token_a)
        assert code(refused) == (401, 2001)
        assert "POST your credentials again" in said(refused)
    assert code(wire.put(token_a, offer(platform))) == (405, 2001)


CREDENTIALS = "2.2.1/credentials"


@pytest.mark.security("S-16")
@pytest.mark.parametrize("ended", ["reset", "expired", "rotated", "revoked"])
def test_a_registration_that_was_ended_is_not_repeated(
    wire: Wire, start: Start, ended: str
) -> None:
    """Once an operator reset the platform or ended its tokens, or with time, A is worth nothing."""
    platform, token_a = start(CPO), invited().token
    wire.post(token_a, offer(platform))
    if ended == "reset":
        invited(reset=True)
    elif ended == "rotated":
        renew_tokens(Platform.objects.get())
    elif ended == "revoked":
        revoke_former(Platform.objects.get())
    else:
        Credentials.objects.filter(kind="A").update(valid_from=LONG_AGO, valid_until=LONG_AGO)
    assert code(wire.post(token_a, offer(platform))) == (401, 2001)


@pytest.mark.security("S-16")
def test_a_post_that_was_under_way_is_no_repetition(wire: Wire, start: Start) -> None:
    """It began before anybody was registered, and is refused when another was faster (CRED-15)."""
    platform, token_a = start(CPO), invited().token
    caller = identify(header(token_a), configuring=True, repeatable=True)
    version = hub_identity.served_version("2.2.1")
    assert code(wire.post(token_a, offer(platform))) == (200, 1000)
    body = json.dumps(offer(platform)).encode()
    with pytest.raises(MethodNotAllowed):
        inbound.register(caller, version=version, body=body)


@pytest.mark.security("S-16")
@pytest.mark.parametrize("grace", [600, 0])
def test_a_put_whose_answer_was_lost_is_repeated(
    wire: Wire, registered: SandboxPlatform, settings: LazySettings, grace: int
) -> None:
    """With the token before it, even behind its grace, until the new one is used."""
    settings.HUB_ROTATION_GRACE_SECONDS = grace
    old = registered.hub.token
    assert code(wire.get(token=old)) == (200, 1000)
    lost = wire.put(old, offer(registered)).json()["data"]["token"]
    body = offer(registered)
    again = wire.put(old, body)
    assert code(again) == (200, 1000)
    token = again.json()["data"]["token"]

    assert code(wire.get(token=lost)) == (401, 2001)
    assert peer_of(Platform.objects.get().pk).token == body["token"]
    assert code(wire.get(token=token)) == (200, 1000)
    assert code(wire.put(old, offer(registered))) == (401, 2001)
    assert code(wire.get(token=token)) == (200, 1000)


@pytest.mark.security("S-16")
def test_the_hub_repeats_a_registration_of_its_own(wire: Wire, start: Start) -> None:
    """Whose answer to the hub's POST was lost may be asked again with the same token A."""
    del wire
    platform = start(CPO)
    token_a = platform.invite()
    prepared = prepare("P1", roles=[AllowedRole.parse(CPO)])
    lost = platform.answer(f"POST /ocpi/{CREDENTIALS}", misbehaviour.html(502))
    with lost, pytest.raises(Unanswered):
        register(prepared, versions_url=platform.url, token_a=token_a)
    assert Platform.objects.get().registered_at is None
    register(prepared, versions_url=platform.url, token_a=token_a)
    registered = Platform.objects.get()
    assert registered.status == ConnectionStatus.CONNECTED
    assert registered.registered_at is not None


@pytest.mark.security("S-16")
def test_who_registers_anew_is_told_and_read_anew(
    wire: Wire, pair: tuple[SandboxPlatform, SandboxPlatform]
) -> None:
    """No hook has to do it: whoever looks next sees that it registered since."""
    _, emsp = pair
    subscriptions.reconcile()
    schedule.reconcile()
    status.refresh_statuses()
    platform = Platform.objects.get(parties__key="DE-MSA")
    ClientInfo.objects.filter(platform=platform).update(sent_status="CONNECTED", sent_at=LONG_AGO)
    PullState.objects.update(full_requested=False)
    PullState.objects.filter(party__platform=platform).update(started_at=LONG_AGO)
    before = set(Subscription.objects.values_list("pk", flat=True))
    token_a = invited(EMSP, name=platform.name, reset=True).token
    assert code(wire.post(token_a, offer(emsp))) == (200, 1000)

    subscriptions.reconcile()
    schedule.reconcile()
    status.refresh_statuses()
    mine = Subscription.objects.filter(receiver__platform=platform, module="locations")
    assert mine.exists()
    assert not mine.filter(pk__in=before).exists()
    assert not ClientInfo.objects.filter(platform=platform).exclude(sent_at=None).exists()
    assert PullState.objects.filter(party__platform=platform, full_requested=True).exists()
    assert not PullState.objects.filter(party__platform__name="P1", full_requested=True).exists()
