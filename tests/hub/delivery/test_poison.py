"""One object that breaks its receiver's answer, and one peer that is asked too much at once."""

import threading
import time
from collections.abc import Callable

import pytest
from django.conf import LazySettings

from hub.delivery import engine
from hub.delivery.push import Outcome, Push
from hub.delivery.receiver import failure, send_all
from hub.delivery.subscriber import find_subscriber
from hub.models import DeadLetter, Snapshot, Subscription
from ocpi import client
from ocpi.types import ModuleID
from parties.connection_status import ConnectionStatus
from parties.models import Platform
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from sandbox.server import Call, Responder
from tests.cast import CPA, Cast, a_location
from tests.hub.concurrency import at_once
from tests.hub.location_owner import Owner, pushes, received

Deliver = Callable[[], int]
POISONS = {
    "redirect": misbehaviour.redirect("http://127.0.0.1:9/"),
    "too large": misbehaviour.huge(21_000_000),
    "broken off": misbehaviour.truncated(),
    "silence": misbehaviour.swallow(4),
}


def subscription() -> Subscription:
    """Return the only subscription of P2."""
    return Subscription.objects.get(receiver__platform__name="P2", module="locations")


@pytest.mark.parametrize(
    "error, expected",
    [
        (client.PeerUnreachable, Outcome.UNREACHABLE),
        (client.AddressRefused, Outcome.UNREACHABLE),
        (client.PeerTimeout, Outcome.SILENT),
        (client.RedirectRefused, Outcome.TEMPORARY),
        (client.ReplyTooLarge, Outcome.TEMPORARY),
        (client.ReplyUnreadable, Outcome.TEMPORARY),
        (client.PeerError, Outcome.TEMPORARY),
    ],
)
def test_a_missing_answer_is_about_all_messages_or_about_one(
    error: type[client.PeerError], expected: Outcome
) -> None:
    """Only a peer that cannot be reached at all stops everything."""
    assert failure(error("")) is expected


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
def test_one_object_without_a_usable_answer_is_passed_over(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver, poison: Responder
) -> None:
    """L2 never gets one: the others arrive and L2 is a dead letter until it passes."""
    rule = emsp.answer("PUT /NL/CPA/L2", poison)
    for number in (1, 2, 3):
        owner.put(f"L{number}", body=a_location(CPA, number))
    deliver_all()

    assert {"NL-CPA/L1", "NL-CPA/L3"} <= set(received(emsp))
    assert [dead_letter.path for dead_letter in DeadLetter.objects.all()] == ["NL/CPA/L2"]
    platform = Platform.objects.get(name="P2")
    assert (platform.status, platform.failures) == (ConnectionStatus.CONNECTED, 0)

    rule.cancel()
    owner.put("L2", body=a_location(CPA, 2, name="again"))
    deliver_all()

    assert received(emsp)["NL-CPA/L2"]["name"] == "again"
    assert not DeadLetter.objects.exists()


def test_a_snapshot_passes_one_object_over_too(
    cast: Cast, owner: Owner, deliver_all: Deliver
) -> None:
    """It is finished, and the object a dead dead_letter."""
    emsp = cast["P2"]
    for number in (1, 2, 3):
        owner.put(f"L{number}", body=a_location(CPA, number))
    emsp.answer("PUT /NL/CPA/L2", misbehaviour.truncated())

    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()

    assert [dead_letter.path for dead_letter in DeadLetter.objects.all()] == ["NL/CPA/L2"]
    assert Snapshot.objects.get(subscription__module="locations").finished_at is not None


def test_a_receiver_that_goes_down_in_the_middle_loses_nothing(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """What passed is sent once more as a proof: all fail now, so nothing is passed over."""
    down = threading.Event()

    def once(call: Call) -> None:
        (misbehaviour.html(500) if down.is_set() else misbehaviour.behave())(call)
        down.set()

    rule = emsp.answer("PUT", once)
    for number in range(1, 31):
        owner.put(f"L{number}", body=a_location(CPA, number, evses=1))
    deliver_all()

    assert not DeadLetter.objects.exists()
    assert Platform.objects.get(name="P2").failures == 1
    rule.cancel()
    Platform.objects.update(next_attempt_at=None)
    deliver_all()
    assert len(received(emsp)) == 30


def test_a_slow_receiver_is_left_when_the_time_is_up(
    owner: Owner,
    emsp: SandboxPlatform,
    deliver_all: Deliver,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The position is behind what arrived, nobody backs off, and the next task goes on."""
    settings.HUB_REQUESTS_PER_PEER = 1
    settings.HUB_REQUEST_TIMEOUT = 0.2
    monkeypatch.setattr(engine, "_BUDGET_SECONDS", 0.5)
    emsp.answer("PUT", misbehaviour.hang(0.15))
    for number in range(1, 13):
        owner.put(f"L{number}", body=a_location(CPA, number, evses=1))
    started = time.monotonic()

    engine.deliver_and_wait(subscription().pk)

    assert time.monotonic() - started < 2
    sent = len(pushes(emsp))
    assert 0 < sent < 12
    assert Platform.objects.get(name="P2").failures == 0
    assert subscription().delivered == sent
    emsp.rules.clear()
    deliver_all()
    assert len(received(emsp)) == len(pushes(emsp)) == 12


def test_who_throttles_is_not_offline(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """429 is an answer: the platform is there."""
    emsp.answer("PUT", misbehaviour.say(429, b""))
    owner.put("L1", body=a_location(CPA, 1))
    for _ in range(4):
        deliver_all()
        Platform.objects.update(next_attempt_at=None)

    platform = Platform.objects.get(name="P2")
    assert (platform.status, platform.failures) == (ConnectionStatus.CONNECTED, 4)


def test_one_peer_has_so_many_requests_in_all(
    emsp: SandboxPlatform, settings: LazySettings
) -> None:
    """Two tasks for one platform share its places; waiting for one is not the peer's time."""
    settings.HUB_REQUESTS_PER_PEER = 2
    subscriber = find_subscriber(subscription().pk, ModuleID.LOCATIONS)
    assert subscriber is not None
    receiver, lock, busy, most = subscriber.receiver, threading.Lock(), 0, 0

    def slow(call: Call) -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.1)
        with lock:
            busy -= 1
        misbehaviour.say(200, b'{"status_code":1000}')(call)

    emsp.answer("PUT", slow)

    def send() -> None:
        messages = [
            Push(("NL-CPA", f"L{n}", ""), "PUT", f"NL/CPA/L{n}", "{}", f"NL/CPA/L{n}", "c")
            for n in range(6)
        ]
        results = send_all(receiver, messages, seconds=10)
        assert {result.outcome for result in results} == {Outcome.DELIVERED}
        assert len(results) == 6

    at_once([send, send])

    assert most == 2


def test_words_of_a_peer_are_cut(owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver) -> None:
    """Whatever a receiver says, its dead letter stays short."""
    emsp.answer("PUT", misbehaviour.refuse(2001, "x" * 10_000))
    owner.put("L1", body=a_location(CPA, 1))
    deliver_all()

    assert len(DeadLetter.objects.get().reason) < 600
