"""Sessions and CDRs sent again, of which every message counts."""

from collections.abc import Callable

import pytest

from hub.delivery.leases import Lease, LeaseLost
from hub.models import DeadLetter, Receipt
from sandbox import misbehaviour
from sandbox.server import Call
from tests.cast import Cast, command
from tests.hub.delivery import sessions_and_cdrs
from tests.hub.exchange import Trade
from tests.parties.commands import run_json

Deliver = Callable[[], int]


def test_a_cdr_is_posted_again_as_it_was(cast: Cast, deliver_all: Deliver) -> None:
    """The same bytes, to the same URL."""
    trade = sessions_and_cdrs.cdrs(cast)
    with trade.reader().answer("/cdrs", misbehaviour.refuse(2001)):
        trade.push_new(trade.kind.make(1))
        deliver_all()

    assert command("redrive", "--all")["delivered"] == 1

    first, again = trade.pushes()
    assert (again.method, again.path, again.body) == (first.method, first.path, first.body)
    assert sessions_and_cdrs.held(trade)["id"] == "X1"


def not_for(name: str) -> Callable[[Call], None]:
    """Answer 500 to what names this object, and behave otherwise."""

    def respond(call: Call) -> None:
        fails = sessions_and_cdrs.name(call.seen) == name
        (misbehaviour.html(500) if fails else misbehaviour.behave())(call)

    return respond


def test_one_of_two_cdrs_that_fails_keeps_its_dead_letter(cast: Cast, deliver_all: Deliver) -> None:
    """The other is delivered, once, and its dead letter is gone."""
    trade = sessions_and_cdrs.cdrs(cast)
    with trade.reader().answer("/cdrs", misbehaviour.refuse(2001)):
        trade.push_new(trade.kind.make(1), trade.kind.make(2))
        deliver_all()
    trade.reader().forget()
    trade.reader().answer("/cdrs", not_for("X2"))

    result = run_json("redrive", "--all", code=1)

    assert (result["delivered"], result["refused"], result["left"]) == (1, 0, 1)
    assert "500" in result["batches"][0]["why"]
    assert sessions_and_cdrs.received(trade).count(("POST", "X1")) == 1
    assert [dead_letter.object_key for dead_letter in sessions_and_cdrs.dead_letters(trade)] == [
        "X2"
    ]
    assert Receipt.objects.get(object_key="X1").revision is not None


def test_a_cdr_that_fails_beside_a_backlog_keeps_its_dead_letter(
    cast: Cast, deliver_all: Deliver
) -> None:
    """What lies ahead of a position says nothing of what is sent again."""
    trade = sessions_and_cdrs.cdrs(cast)
    rule = trade.reader().answer("/cdrs", not_for("X1"))
    trade.push_new(trade.kind.make(1), trade.kind.make(2))
    deliver_all()
    assert sessions_and_cdrs.subscription(trade).ahead
    rule.cancel()
    DeadLetter.objects.create(
        subscription=sessions_and_cdrs.subscription(trade),
        owner="NL-CPA",
        object_key="X9",
        method="POST",
        path="",
        body="{}",
        reason="",
    )
    sessions_and_cdrs.retry_now()
    trade.reader().answer("/cdrs", misbehaviour.html(500))

    result = run_json("redrive", "--all", code=1)

    assert (result["delivered"], result["left"]) == (0, 1)
    assert "500" in result["batches"][0]["why"]


@pytest.fixture
def backlog(cast: Cast, deliver_all: Deliver) -> Trade:
    """A Session DE-MSA refused, and two changes of it that wait in the feed."""
    trade = sessions_and_cdrs.sessions(cast)
    with trade.reader().answer("/sessions/", misbehaviour.refuse(2001)):
        sessions_and_cdrs.put(trade)
        deliver_all()
    sessions_and_cdrs.put(trade, kwh=5.0)
    sessions_and_cdrs.patch(trade, 1)
    trade.reader().forget()
    return trade


def test_a_session_sent_again_takes_its_backlog_along(backlog: Trade, deliver_all: Deliver) -> None:
    """It does not go back, and no period comes twice; what follows goes out as it is."""
    assert command("redrive", "--all")["delivered"] == 1
    deliver_all()
    assert sessions_and_cdrs.received(backlog) == [("PUT", "X1")]

    sessions_and_cdrs.patch(backlog, 2)
    deliver_all()

    assert sessions_and_cdrs.received(backlog) == [("PUT", "X1"), ("PATCH", "X1")]
    assert sessions_and_cdrs.places(sessions_and_cdrs.held(backlog)) == [0, 1, 2]


def test_a_worker_that_dies_behind_a_session_sent_again_repeats_no_period(
    backlog: Trade, deliver_all: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may have arrived is in doubt before it is sent."""

    def lost(*_: object, **__: object) -> None:
        raise LeaseLost

    with monkeypatch.context() as dying:
        dying.setattr(Lease, "advance", lost)
        run_json("redrive", "--all", code=1)
    deliver_all()

    assert {method for method, _ in sessions_and_cdrs.received(backlog)} == {"PUT"}
    assert sessions_and_cdrs.places(sessions_and_cdrs.held(backlog)) == [0, 1]


def test_a_refused_patch_of_a_session_is_followed_by_the_whole(
    cast: Cast, deliver_all: Deliver
) -> None:
    """No period twice, none missing."""
    trade = sessions_and_cdrs.sessions(cast)
    sessions_and_cdrs.put(trade)
    deliver_all()
    with trade.reader().answer("/sessions/", misbehaviour.refuse(2001)):
        sessions_and_cdrs.patch(trade, 1)
        deliver_all()
    assert sessions_and_cdrs.dead_letters(trade)

    assert command("redrive", "--all")["left"] == 0
    assert sessions_and_cdrs.places(sessions_and_cdrs.held(trade)) == [0, 1]
