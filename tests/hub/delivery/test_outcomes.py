"""What becomes of a push, by what the receiver answers: each outcome has its consequence."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from hub.delivery import engine
from hub.delivery.push import Outcome, Push
from hub.delivery.receiver import judged
from hub.models import DeadLetter, Subscription
from ocpi import client
from parties import connection_health
from parties.connection_status import ConnectionStatus
from parties.models import Platform
from parties.still_alive import ping_idle
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from sandbox.server import Call, Responder
from tests.cast import CPA, Cast, a_location
from tests.hub.location_owner import T2, T3, Owner, pushes, received
from tests.parties.silence import be_silent, forget_pings

Deliver = Callable[[], int]


def row(name: str = "P2") -> Platform:
    """Return a platform as the hub knows it now."""
    return Platform.objects.get(name=name)


def subscription(name: str = "P2") -> Subscription:
    """Return the only subscription of a platform."""
    return Subscription.objects.get(receiver__platform__name=name, module="locations")


def retry_now() -> None:
    """Let the time of every back-off be over."""
    Platform.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


# --- judging one answer ------------------------------------------------------------------------

WHOLE, PART = "NL/CPA/L1", "NL/CPA/L1/E1"
OK = b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'


def envelope(code: int) -> bytes:
    """Render an envelope."""
    return OK.replace(b"1000", str(code).encode())


@pytest.mark.parametrize(
    "method, path, http, body, expected",
    [
        ("PUT", WHOLE, 200, OK, Outcome.DELIVERED),
        ("PUT", WHOLE, 201, OK, Outcome.DELIVERED),
        ("PUT", WHOLE, 204, b"", Outcome.DELIVERED),
        ("PUT", WHOLE, 200, envelope(1999), Outcome.DELIVERED),
        ("PUT", WHOLE, 200, envelope(2001), Outcome.REJECTED),
        ("PUT", WHOLE, 400, b'{"detail":"no"}', Outcome.REJECTED),
        ("PUT", WHOLE, 404, envelope(2003), Outcome.REJECTED),
        ("PUT", WHOLE, 500, envelope(2001), Outcome.REJECTED),
        ("PATCH", WHOLE, 404, envelope(2003), Outcome.UNKNOWN),
        ("PATCH", WHOLE, 405, b"", Outcome.UNKNOWN),
        ("PATCH", PART, 200, envelope(2001), Outcome.UNKNOWN),
        ("PUT", PART, 404, envelope(2003), Outcome.UNKNOWN),
        ("PUT", WHOLE, 500, b"<html>", Outcome.TEMPORARY),
        ("PUT", WHOLE, 503, envelope(1000), Outcome.TEMPORARY),
        ("PUT", WHOLE, 200, b"<html>", Outcome.TEMPORARY),
        ("PUT", WHOLE, 200, envelope(3000), Outcome.TEMPORARY),
        ("PUT", WHOLE, 200, envelope(4003), Outcome.TEMPORARY),
        ("PUT", WHOLE, 401, envelope(2001), Outcome.UNREACHABLE),
        ("PUT", WHOLE, 403, b"", Outcome.UNREACHABLE),
        ("PUT", WHOLE, 429, envelope(1000), Outcome.UNREACHABLE),
    ],
)
def test_an_answer_has_one_outcome(
    method: str, path: str, http: int, body: bytes, expected: Outcome
) -> None:
    """HTTP status and OCPI code are read together (ST-16)."""
    push = Push(("NL-CPA", "L1", ""), method, path, "{}", WHOLE, "c")

    result = judged(push, client.Reply(http, {}, body, 0.1))

    assert result.outcome is expected


# --- what follows from it ----------------------------------------------------------------------


def test_a_refused_object_is_a_dead_letter_and_the_next_one_goes_on(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """With the receiver's own words and codes; the platform is well."""
    emsp.answer("PUT /NL/CPA/L2", misbehaviour.refuse(2001, "no such town"))
    for number in (1, 2, 3):
        owner.put(f"L{number}", body=a_location(CPA, number))
    deliver_all()

    assert set(received(emsp)) == {"NL-CPA/L1", "NL-CPA/L3"}
    dead_letter = DeadLetter.objects.get()
    assert (dead_letter.owner, dead_letter.method, dead_letter.path) == (
        "NL-CPA",
        "PUT",
        "NL/CPA/L2",
    )
    assert (dead_letter.http_status, dead_letter.status_code) == (200, 2001)
    assert "no such town" in dead_letter.reason
    assert dead_letter.body is not None
    assert (row().status, row().failures) == (ConnectionStatus.CONNECTED, 0)
    assert subscription().delivered == 2
    assert deliver_all() == 0


def test_a_receiver_that_refuses_for_ever_does_not_fill_the_table(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Of each URL the last refusal is kept (A-29)."""
    emsp.answer("/locations/", misbehaviour.refuse(2001))
    for number in range(5):
        owner.put("L1", body=a_location(CPA, 1, name=str(number)))
        deliver_all()

    [dead_letter] = DeadLetter.objects.all()
    assert '"name": "4"' in (dead_letter.body or "")


def test_a_receiver_that_fails_now_and_then_gets_everything(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """500 on every third call: tried again until it passes, no dead letter, no back-off."""
    emsp.answer("PUT", misbehaviour.every(3, misbehaviour.html(500)))
    for number in range(1, 41):
        owner.put(f"L{number}", body=a_location(CPA, number, evses=1))
    deliver_all()

    assert len(received(emsp)) == 40
    assert DeadLetter.objects.count() == 0
    assert row().failures == 0


def test_one_object_a_receiver_chokes_on_is_passed_over(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """500 for L2 always: the others arrive, L2 is a dead letter."""
    emsp.answer("PUT /NL/CPA/L2", misbehaviour.html(500))
    for number in (1, 2, 3):
        owner.put(f"L{number}", body=a_location(CPA, number))
    deliver_all()

    assert set(received(emsp)) == {"NL-CPA/L1", "NL-CPA/L3"}
    assert [dead_letter.path for dead_letter in DeadLetter.objects.all()] == ["NL/CPA/L2"]
    assert row().failures == 0


@pytest.mark.parametrize(
    "responder, offline",
    [
        (misbehaviour.html(500), False),
        (misbehaviour.refuse(3000), False),
        (misbehaviour.unauthorized(), False),
        (misbehaviour.detail(403), False),
        (misbehaviour.redirect("http://127.0.0.1:9/"), False),
        (misbehaviour.reset(), True),
    ],
    ids=["500", "3000", "401", "403", "redirect", "reset"],
)
def test_a_receiver_that_takes_nothing_is_left_alone_for_a_while(
    owner: Owner,
    emsp: SandboxPlatform,
    deliver_all: Deliver,
    responder: Responder,
    offline: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Longer each time; one out of reach is OFFLINE after two attempts; nothing is lost."""
    rule = emsp.answer("PUT", responder)
    owner.put("L1", body=a_location(CPA, 1))
    pauses = []
    for attempt in range(1, 4):
        deliver_all()
        platform = row()
        assert platform.failures == attempt
        assert platform.next_attempt_at is not None
        assert platform.last_error
        assert subscription().failures == attempt
        pauses.append((platform.next_attempt_at - timezone.now()).total_seconds())
        assert deliver_all() == 0
        retry_now()

    assert 0 < pauses[0] < 2 < pauses[2] < 8
    assert row().status == (ConnectionStatus.OFFLINE if offline else ConnectionStatus.CONNECTED)
    assert DeadLetter.objects.count() == 0
    rule.cancel()
    deliver_all()
    assert set(received(emsp)) == {"NL-CPA/L1"}
    assert (row().status, row().failures) == (ConnectionStatus.CONNECTED, 0)
    assert (subscription().failures, subscription().last_error) == (0, "")


def test_a_hanging_receiver_is_left_alone_too(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """No answer in time is no answer."""
    emsp.hold(60, "PUT")
    owner.put("L1", body=a_location(CPA, 1))

    deliver_all()

    assert row().failures == 1
    assert subscription().last_error
    emsp.rules.clear()
    retry_now()
    deliver_all()
    assert set(received(emsp)) == {"NL-CPA/L1"}


@pytest.mark.parametrize("asked,within", [("30", (28, 30)), ("0", (0.5, 2)), ("9999", (298, 300))])
def test_retry_after_is_honoured_within_reason(
    owner: Owner,
    emsp: SandboxPlatform,
    deliver_all: Deliver,
    asked: str,
    within: tuple[float, float],
) -> None:
    """At least our own pause, at most five minutes."""
    least, most = within
    throttle = misbehaviour.say(429, b"", headers={"Retry-After": asked})
    emsp.answer("PUT", throttle)
    owner.put("L1", body=a_location(CPA, 1))

    deliver_all()

    pause = (row().next_attempt_at or timezone.now()) - timezone.now()
    assert least <= pause.total_seconds() <= most


def test_the_back_off_ends_with_the_platforms_next_call(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Whoever speaks to us can be spoken to; an OFFLINE platform is back and catches up."""
    rule = emsp.answer("PUT", misbehaviour.reset())
    owner.put("L1", body=a_location(CPA, 1))
    for _ in range(3):
        deliver_all()
        retry_now()
    deliver_all()
    assert row().status == ConnectionStatus.OFFLINE
    rule.cancel()
    assert deliver_all() == 0

    emsp.hub.get("locations", "SENDER", to=emsp.hub.party, sender=emsp.party)

    assert (row().status, row().next_attempt_at) == (ConnectionStatus.CONNECTED, None)
    assert deliver_all() == 1
    assert set(received(emsp)) == {"NL-CPA/L1"}


def test_a_platform_without_patch_gets_states(
    cast: Cast, owner: Owner, deliver_all: Deliver
) -> None:
    """The quirk turns each PATCH into the PUT of what changed."""
    emsp = cast.join("P3", "patch=off")
    cast.agree(("NL-CPA", "FR-MSB"))
    owner.put("L1", body=a_location(CPA, 1))
    deliver_all()
    emsp.forget()

    owner.patch("L1", "E1", body={"status": "CHARGING", "last_updated": T2})
    deliver_all()
    owner.patch("L1", "E1", "1", body={"max_voltage": 400, "last_updated": T2})
    deliver_all()
    owner.patch("L1", body={"name": "new", "last_updated": T3})
    deliver_all()

    assert [(seen.method, seen.path.rpartition("/CPA/")[2]) for seen in pushes(emsp)] == [
        ("PUT", "L1/E1"),
        ("PUT", "L1/E1"),
        ("PUT", "L1"),
    ]
    assert received(emsp) == {"NL-CPA/L1": owner.get("L1")}


def test_a_connector_that_failed_once_is_sent_as_it_was(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """The second attempt carries the Connector, not the EVSE around it."""
    value = a_location(CPA, 1)
    owner.put("L1", body=value)
    deliver_all()
    emsp.forget()
    connector = {**value["evses"][0]["connectors"][0], "max_voltage": 400, "last_updated": T2}
    emsp.answer("PUT", misbehaviour.first(1, misbehaviour.html(500)))

    owner.put("L1", "E1", "1", body=connector)
    deliver_all()

    assert [seen.json for seen in pushes(emsp)] == [connector, connector]
    assert received(emsp) == {"NL-CPA/L1": owner.get("L1")}


def test_a_failed_part_waits_for_the_whole_that_covers_it(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """E1 is unknown and E2 fails: the whole Location goes out, and no older E2 behind it."""
    owner.put("L1", body=a_location(CPA, 1))
    deliver_all()
    emsp.forget()
    owner.patch("L1", "E1", body={"x": 1, "last_updated": T2})
    owner.patch("L1", "E2", body={"x": 2, "last_updated": T2})

    def newer(call: Call) -> None:
        owner.patch("L1", "E2", body={"x": 3, "last_updated": T3})
        misbehaviour.html(500)(call)

    emsp.answer("PATCH /E1", misbehaviour.refuse(2003, http_status=404))
    emsp.answer("PATCH /E2", misbehaviour.first(1, newer))
    deliver_all()

    states = [
        seen.json["x"] if seen.path.endswith("/E2") else seen.json["evses"][1]["x"]
        for seen in pushes(emsp)
        if not seen.path.endswith("/E1")
    ]
    assert states == sorted(states)
    assert states[-1] == 3
    assert received(emsp) == {"NL-CPA/L1": owner.get("L1")}


def test_what_was_done_before_a_failure_is_not_done_again(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """The position moves up to the first gap; what was refused before it is on record."""
    subscription_id = subscription().pk
    for number in range(1, 4):
        owner.put(f"L{number}", body=a_location(CPA, number))
        deliver_all()
    emsp.forget()
    emsp.answer("PUT /L1", misbehaviour.refuse(2001))
    emsp.answer("PUT /L3", misbehaviour.reset())
    for number in range(1, 4):
        owner.put(f"L{number}", body=a_location(CPA, number, name="again"))

    engine.deliver_and_wait(subscription_id)
    emsp.rules.clear()
    retry_now()
    deliver_all()

    tried = [seen.path[-2:] for seen in pushes(emsp)]
    assert sorted(set(tried)) == ["L1", "L2", "L3"]
    assert tried.count("L1") == tried.count("L2") == 1
    assert [dead_letter.path[-2:] for dead_letter in DeadLetter.objects.all()] == ["L1"]
    assert received(emsp)["NL-CPA/L3"]["name"] == "again"


def test_after_a_pause_a_message_goes_before_a_ping(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Callable[[], int]
) -> None:
    """A platform whose versions cannot be read gets its messages: no failing ping puts them off."""
    emsp.answer("GET", misbehaviour.html(502))
    be_silent()
    ping_idle()
    assert row().failures == 1
    owner.put("L1", body=a_location(CPA, 1))
    retry_now()
    forget_pings()

    assert ping_idle() == 0
    assert deliver_all() == 1

    assert set(received(emsp)) == {"NL-CPA/L1"}
    assert row().failures == 0


def test_a_pause_that_is_long_over_is_followed_by_a_ping(owner: Owner) -> None:
    """Where no message waits, or none is delivered, somebody has to find out."""
    be_silent()
    Platform.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=1))

    assert ping_idle() >= 1


def test_the_pause_grows_up_to_five_minutes() -> None:
    """Doubling, with jitter below."""
    pauses = [
        max(connection_health._pause(failures) for _ in range(50)) for failures in (1, 3, 6, 12, 99)
    ]

    assert pauses[:3] == sorted(pauses[:3])
    assert pauses[0] <= 2
    assert 250 < pauses[-1] <= 300
