"""CDRs on their way to the owner of their token: each arrives, and arrives once."""

from collections.abc import Callable

import pytest

from hub.models import Subscription
from sandbox import misbehaviour
from tests.cast import Cast
from tests.hub.delivery.sessions_and_cdrs import (
    cdrs,
    dead_letters,
    one_after_the_other,
    received,
    retry_now,
    subscription,
)
from tests.hub.exchange import CDRS, Trade

Deliver = Callable[[], int]
REFUSED = misbehaviour.refuse(2001, "exists already")


@pytest.fixture
def trade(cast: Cast, deliver_all: Deliver) -> Trade:
    """NL-CPA and DE-MSA, which has nothing yet."""
    trade = cdrs(cast)
    deliver_all()
    return trade


def make(trade: Trade, *numbers: int) -> None:
    """POST the CDRs with these numbers."""
    trade.push_new(*(trade.kind.make(number) for number in numbers))


def test_a_cdr_is_posted_to_its_receiver_as_it_came_in(trade: Trade, deliver_all: Deliver) -> None:
    """At the endpoint itself."""
    make(trade, 1)

    deliver_all()

    [seen] = trade.pushes()
    assert (seen.method, seen.json) == ("POST", trade.kind.make(1))
    assert seen.route.endswith("/cdrs")


def test_cdrs_behind_a_failing_one_arrive_once(trade: Trade, deliver_all: Deliver) -> None:
    """Whatever is beyond the gap is not sent again when delivery resumes."""
    emsp = trade.reader()
    rule = emsp.answer(lambda seen: b'"X1"' in seen.body, misbehaviour.html(500))
    make(trade, 1, 2, 3)
    deliver_all()
    make(trade, 4)
    rule.cancel()
    retry_now()

    deliver_all()

    arrived = [name for _, name in received(trade)]
    assert [arrived.count(f"X{number}") for number in (2, 3, 4)] == [1, 1, 1]
    assert set(emsp.objects["cdrs"].objects()) == {f"NL-CPA/X{n}" for n in (1, 2, 3, 4)}
    assert dead_letters(trade) == []


def test_a_cdr_without_an_answer_is_repeated_as_it_is(trade: Trade, deliver_all: Deliver) -> None:
    """Its receiver recognises it by its id."""
    trade.reader().answer("POST", misbehaviour.first(1, misbehaviour.swallow(4)))
    make(trade, 1)

    deliver_all()
    retry_now()
    deliver_all()

    first, second = trade.pushes()
    assert first.body == second.body
    assert dead_letters(trade) == []


def test_a_repeated_cdr_its_receiver_refuses_is_a_dead_letter_with_its_words(
    trade: Trade, deliver_all: Deliver
) -> None:
    """And no other CDR that is delivered, at the same URL, takes it off the record."""
    emsp = trade.reader()
    emsp.answer("POST", one_after_the_other(misbehaviour.truncated(), REFUSED))
    make(trade, 1)
    deliver_all()
    retry_now()
    deliver_all()
    emsp.rules.clear()
    make(trade, 2)

    deliver_all()

    [dead_letter] = dead_letters(trade)
    assert "exists already" in dead_letter.reason
    assert '"X1"' in (dead_letter.body or "")


def test_every_refused_cdr_has_its_dead_letter(trade: Trade, deliver_all: Deliver) -> None:
    """They share a URL, and each is one too many to lose."""
    trade.reader().answer("POST", misbehaviour.refuse(2001))
    for number in (1, 2, 3):
        make(trade, number)
        deliver_all()

    assert len(dead_letters(trade)) == 3


def test_a_cdr_waits_for_its_receivers_endpoint(cast: Cast, deliver_all: Deliver) -> None:
    """Accepted while there was none, delivered as soon as there is one."""
    emsp = cast["P2"]
    emsp.move("cdrs", "RECEIVER", None)
    emsp.rotate()
    trade = Trade(CDRS, cast).agree(0)
    deliver_all()
    make(trade, 1)
    deliver_all()
    assert not Subscription.objects.filter(module="cdrs").exists()

    emsp.move("cdrs", "RECEIVER", "/late/cdrs")
    emsp.rotate()
    deliver_all()

    assert [name for _, name in received(trade)] == ["X1"]
    assert subscription(trade).delivered == 1
