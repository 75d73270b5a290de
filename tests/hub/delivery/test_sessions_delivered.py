"""Sessions on their way to the owner of their token: every message, in order, applied once."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings

from hub.delivery import backlog, engine
from hub.models import Change, Subscription
from ocpi.types import ModuleID
from parties.models import Agreement, AgreementState
from sandbox import misbehaviour
from sandbox.server import Call, Responder
from tests.cast import Cast
from tests.hub.delivery.sessions_and_cdrs import (
    dead_letters,
    grow_old,
    held,
    one_after_the_other,
    patch,
    places,
    put,
    received,
    retry_now,
    sessions,
    subscription,
)
from tests.hub.exchange import Trade

Deliver = Callable[[], int]


@pytest.fixture
def trade(cast: Cast, deliver_all: Deliver) -> Trade:
    """NL-CPA and DE-MSA, which has nothing yet."""
    trade = sessions(cast)
    deliver_all()
    return trade


def test_every_message_arrives_as_it_was_sent_and_in_order(
    trade: Trade, deliver_all: Deliver
) -> None:
    """A PUT and fifty PATCHes that waited together: none is collapsed, none overtakes another."""
    put(trade)
    for place in range(1, 51):
        patch(trade, place)

    deliver_all()

    assert [method for method, _ in received(trade)] == ["PUT"] + ["PATCH"] * 50
    assert [places(seen.json) for seen in trade.pushes()] == [[n] for n in range(51)]
    assert places(held(trade)) == list(range(51))
    row = subscription(trade)
    assert (row.delivered, row.ahead, row.in_doubt) == (51, [], [])


def test_sessions_do_not_wait_for_each_other(trade: Trade, deliver_all: Deliver) -> None:
    """One that its receiver takes long for holds no other up."""
    trade.reader().answer("/X1", misbehaviour.hang(0.3))
    for number in (1, 2):
        put(trade, number)
        patch(trade, 1, number=number)

    deliver_all()

    arrived = received(trade)
    assert arrived.index(("PATCH", "X2")) < arrived.index(("PATCH", "X1"))
    assert {name: places(held(trade, name)) for name in ("X1", "X2")} == {
        "X1": [0, 1],
        "X2": [0, 1],
    }


def test_a_refused_message_is_a_dead_letter_and_the_next_goes_on(
    trade: Trade, deliver_all: Deliver
) -> None:
    """The second PUT is refused: what follows is sent all the same, the refusal stays on record."""
    put(trade)
    put(trade, kwh=2.0)
    patch(trade, 1)
    refused = misbehaviour.refuse(2001, "no such thing")
    trade.reader().answer("PUT", one_after_the_other(misbehaviour.behave(), refused))

    deliver_all()

    assert [method for method, _ in received(trade)] == ["PUT", "PUT", "PATCH"]
    [dead_letter] = dead_letters(trade)
    assert (dead_letter.method, dead_letter.path) == ("PUT", "NL/CPA/X1")
    assert "no such thing" in dead_letter.reason


def test_an_unknown_session_is_sent_whole_and_no_period_twice(
    trade: Trade, deliver_all: Deliver, settings: LazySettings
) -> None:
    """What the state contains is not sent again, be it in this batch or behind it (TF-39)."""
    settings.HUB_DELIVERY_BATCH = 2
    put(trade)
    deliver_all()
    emsp = trade.reader()
    emsp.objects["sessions"].clear()
    emsp.forget()
    for place in (1, 2, 3):
        patch(trade, place)

    def one_more(call: Call) -> None:
        patch(trade, 4)
        misbehaviour.behave()(call)

    emsp.answer("PATCH", misbehaviour.first(1, one_more))
    deliver_all()

    assert [method for method, _ in received(trade)] == ["PATCH", "PUT"]
    assert places(held(trade)) == [0, 1, 2, 3, 4]
    patch(trade, 5)
    deliver_all()
    assert received(trade)[2:] == [("PATCH", "X1")]
    assert places(held(trade)) == [0, 1, 2, 3, 4, 5]
    assert subscription(trade).ahead == []


DOUBTFUL = {
    "silence": misbehaviour.swallow(4),
    "half an answer": misbehaviour.truncated(),
    "an answer nobody understands": misbehaviour.broken_json(),
}


def _applied_but(responder: Responder) -> Responder:
    def respond(call: Call) -> None:
        call.usual()
        responder(call)

    return respond


@pytest.mark.parametrize(
    "doubtful",
    [*DOUBTFUL.values(), _applied_but(misbehaviour.html(502)), _applied_but(misbehaviour.reset())],
    ids=[*DOUBTFUL, "502", "reset"],
)
@pytest.mark.parametrize("others", [0, 1], ids=["alone", "while others pass"])
def test_a_patch_that_may_have_arrived_is_not_applied_twice(
    trade: Trade, deliver_all: Deliver, doubtful: Responder, others: int
) -> None:
    """It took effect and nobody said so: the whole Session follows, now or in a later task."""
    put(trade)
    deliver_all()
    emsp = trade.reader()
    emsp.forget()
    emsp.answer("PATCH /X1", misbehaviour.first(1, doubtful))
    patch(trade, 1)
    patch(trade, 2)
    for number in range(others):
        put(trade, 2 + number)

    deliver_all()
    retry_now()
    deliver_all()

    assert [each for each in received(trade) if each[1] == "X1"] == [("PATCH", "X1"), ("PUT", "X1")]
    assert places(held(trade)) == [0, 1, 2]
    assert dead_letters(trade) == []
    assert (subscription(trade).ahead, subscription(trade).in_doubt) == ([], [])


def test_a_patch_of_a_worker_that_died_is_not_applied_twice(
    trade: Trade, deliver_all: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it sent before it died is in doubt."""
    put(trade)
    deliver_all()
    trade.reader().forget()
    patch(trade, 1)

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    pk = subscription(trade).pk
    with monkeypatch.context() as dying:
        dying.setattr(engine, "_record", die)
        with pytest.raises(Killed):
            engine.deliver_and_wait(pk)
    deliver_all()

    assert [method for method, _ in received(trade)] == ["PATCH", "PUT"]
    assert places(held(trade)) == [0, 1]


def test_a_platform_that_was_away_gets_every_message_as_it_was_sent(
    trade: Trade, deliver_all: Deliver
) -> None:
    """Nothing was sent while no connection came up: nothing is in doubt, nothing collapses."""
    put(trade)
    deliver_all()
    emsp = trade.reader()
    emsp.forget()
    emsp.stop()
    for place in (1, 2, 3):
        patch(trade, place)
        deliver_all()
    emsp.start()
    retry_now()

    deliver_all()

    assert [method for method, _ in received(trade)] == ["PATCH"] * 3
    assert places(held(trade)) == [0, 1, 2, 3]


def test_a_platform_without_patch_gets_states(cast: Cast, deliver_all: Deliver) -> None:
    """One state stands for all the changes it contains."""
    cast.join("P2", "patch=off")
    trade = sessions(cast)
    deliver_all()
    put(trade)
    for place in (1, 2, 3):
        patch(trade, place)

    deliver_all()

    assert received(trade) == [("PUT", "X1")]
    assert places(held(trade)) == [0, 1, 2, 3]


def test_what_is_too_old_is_a_dead_letter(
    trade: Trade, deliver_all: Deliver, settings: LazySettings
) -> None:
    """It is not sent any more, and its record says why; what is younger arrives."""
    settings.HUB_DELIVERY_EXPIRY_DAYS = 3
    put(trade)
    patch(trade, 1)
    grow_old(trade, 3)
    put(trade, 2)

    deliver_all()

    assert received(trade) == [("PUT", "X2")]
    assert [(each.method, each.path) for each in dead_letters(trade)] == [
        ("PUT", "NL/CPA/X1"),
        ("PATCH", "NL/CPA/X1"),
    ]
    assert all("expired" in each.reason for each in dead_letters(trade))
    assert deliver_all() == 0


def test_an_agreement_that_ended_leaves_dead_letters(trade: Trade, deliver_all: Deliver) -> None:
    """What was acknowledged is never passed over in silence."""
    put(trade)
    Agreement.objects.update(state=AgreementState.SUSPENDED)

    deliver_all()

    assert received(trade) == []
    [dead_letter] = dead_letters(trade)
    assert "may no longer have anything of NL-CPA" in dead_letter.reason


def test_a_new_registration_loses_nothing_and_repeats_nothing(
    trade: Trade, cast: Cast, deliver_all: Deliver
) -> None:
    """The subscription waits for its receiver; there are no snapshots."""
    put(trade)
    deliver_all()
    emsp, before = trade.reader(), subscription(trade).pk
    patch(trade, 1)
    emsp.unregister()
    deliver_all()
    emsp.forget()
    emsp.register_with(cast.versions_url, cast.token_a("P2"))

    deliver_all()

    assert [method for method, _ in received(trade)] == ["PATCH"]
    assert places(held(trade)) == [0, 1]
    assert subscription(trade).pk == before
    assert not subscription(trade).snapshots.exists()


def test_no_party_sees_the_sessions_of_another(cast: Cast, deliver_all: Deliver) -> None:
    """Each is for the owner of its token alone, whoever else has an agreement (TF-70)."""
    trade = sessions(cast, readers=2)
    deliver_all()
    for number in range(1, 5):
        put(trade, number, reader=number % 2)
        patch(trade, 1, number=number)

    deliver_all()

    assert {name for _, name in received(trade, 0)} == {"X2", "X4"}
    assert {name for _, name in received(trade, 1)} == {"X1", "X3"}


def test_what_was_delivered_beyond_a_gap_is_not_sent_again(
    trade: Trade, deliver_all: Deliver
) -> None:
    """X1 keeps failing: the others arrive once, however often it is tried."""
    emsp = trade.reader()
    rule = emsp.answer("/X1", misbehaviour.html(500))
    for number in (1, 2, 3):
        put(trade, number)
    deliver_all()
    row = subscription(trade)
    assert len(row.ahead) == 2
    assert backlog.lag(ModuleID.SESSIONS, [row.pk])[row.pk][0] == 1
    emsp.forget()
    rule.cancel()
    retry_now()

    deliver_all()

    assert received(trade) == [("PUT", "X1")]
    assert subscription(trade).ahead == []


@pytest.mark.parametrize("owed", [0, 1, 2])
def test_a_restored_cluster_goes_on_where_it_was(
    trade: Trade, deliver_all: Deliver, owed: int
) -> None:
    """What was delivered stays delivered; what was owed is, with what comes later, in order."""
    put(trade)
    deliver_all()
    trade.reader().forget()
    last = Change.objects.get(module="sessions").seq
    for place in range(1, owed + 1):
        patch(trade, place)
    Change.objects.update(transaction=2**60)
    Subscription.objects.filter(pk=subscription(trade).pk).update(transaction=2**60, seq=last)
    patch(trade, owed + 1)

    deliver_all()

    assert [places(seen.json) for seen in trade.pushes()] == [[n] for n in range(1, owed + 2)]
    assert places(held(trade)) == list(range(owed + 2))
