"""One Session that its receiver fails on, whose every message counts, and the others meanwhile."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings

from hub.delivery import every_message
from hub.models import Change
from parties.models import Platform
from sandbox import misbehaviour
from sandbox.server import Responder
from tests.cast import Cast
from tests.hub.delivery.sessions_and_cdrs import (
    dead_letters,
    grow_old,
    held,
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
FAILURES = {
    "500": misbehaviour.html(500),
    "silence": misbehaviour.swallow(4),
    "half an answer": misbehaviour.truncated(),
}


@pytest.fixture
def trade(cast: Cast, deliver_all: Deliver) -> Trade:
    """NL-CPA and DE-MSA, which has nothing yet."""
    trade = sessions(cast)
    deliver_all()
    return trade


def others(trade: Trade) -> list[str]:
    """Return which Sessions but X1 were sent, in order of arrival."""
    return [name for _, name in received(trade) if name != "X1"]


def failures() -> int:
    """Return how often P2 as a whole failed since it last took something."""
    return Platform.objects.get(name="P2").failures


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_message_that_keeps_failing_is_tried_until_it_passes(
    trade: Trade, deliver_all: Deliver, failure: Responder
) -> None:
    """The others arrive once, without a pause of their platform, and what follows it waits."""
    rule = trade.reader().answer("/X1", failure)
    put(trade)
    put(trade, 2)
    deliver_all()
    patch(trade, 1)
    for number in (3, 4):
        put(trade, number)
        retry_now()
        deliver_all()
        assert (failures(), dead_letters(trade)) == (0, [])
    assert others(trade) == ["X2", "X3", "X4"]
    assert {method for method, name in received(trade) if name == "X1"} == {"PUT"}
    assert subscription(trade).last_error

    rule.cancel()
    retry_now()
    deliver_all()

    assert others(trade) == ["X2", "X3", "X4"]
    assert places(held(trade)) == [0, 1]
    row = subscription(trade)
    assert (row.ahead, row.in_doubt, row.last_error) == ([], [], "")


def test_a_message_others_went_by_holds_none_up_that_comes_later(
    trade: Trade, deliver_all: Deliver
) -> None:
    """Alone it keeps failing: its platform is well, and only the subscription rests a moment."""
    trade.reader().answer("/X1", misbehaviour.html(500))
    put(trade)
    put(trade, 2)
    deliver_all()
    for _ in range(3):
        retry_now()
        deliver_all()

    assert failures() == 0
    assert deliver_all() == 0
    assert subscription(trade).lease is None


def test_a_message_that_keeps_failing_is_given_up_when_it_is_old(
    trade: Trade, deliver_all: Deliver
) -> None:
    """While another passes; what waited behind it is tried in its turn."""
    trade.reader().answer("PUT /X1", misbehaviour.html(500))
    put(trade)
    put(trade, 2)
    deliver_all()
    grow_old(trade, 1)
    retry_now()
    deliver_all()
    assert dead_letters(trade) == []
    put(trade, 3)
    retry_now()

    deliver_all()

    [dead_letter] = dead_letters(trade)
    assert (dead_letter.path, dead_letter.http_status) == ("NL/CPA/X1", 500)
    assert others(trade) == ["X2", "X3"]
    assert (subscription(trade).ahead, failures()) == ([], 0)


def test_the_oldest_is_given_up_when_too_many_went_by(
    trade: Trade, deliver_all: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is noted beyond a gap stays small; the next that fails still has its time."""
    monkeypatch.setattr(every_message, "_MOST_AHEAD", 1)
    trade.reader().answer("/X1", misbehaviour.html(500))
    trade.reader().answer("/X2", misbehaviour.html(500))
    for number in (1, 2, 3, 4):
        put(trade, number)
    deliver_all()
    assert dead_letters(trade) == []
    put(trade, 5)
    retry_now()

    deliver_all()

    assert [dead_letter.path for dead_letter in dead_letters(trade)] == ["NL/CPA/X1"]
    assert len(subscription(trade).ahead) == 3


def test_a_receiver_that_takes_nothing_loses_nothing(trade: Trade, deliver_all: Deliver) -> None:
    """However old the messages are: it backs off as a whole."""
    emsp = trade.reader()
    emsp.answer("/X1", misbehaviour.html(500))
    put(trade)
    put(trade, 2)
    deliver_all()
    rule = emsp.answer("PUT", misbehaviour.html(500))
    put(trade, 3)
    grow_old(trade, 1)
    for attempt in (1, 2):
        retry_now()
        deliver_all()
        assert (failures(), dead_letters(trade)) == (attempt, [])

    emsp.rules.clear()
    rule.cancel()
    retry_now()
    deliver_all()

    assert set(held_names(trade)) == {"X1", "X2", "X3"}
    assert failures() == 0


def held_names(trade: Trade) -> list[str]:
    """Return the ids of the Sessions the reader holds."""
    return [key.rpartition("/")[2] for key in trade.reader().objects["sessions"].objects()]


def test_what_fails_does_not_crowd_a_batch(
    trade: Trade, deliver_all: Deliver, settings: LazySettings
) -> None:
    """As many fail as a batch has places: those behind them arrive all the same."""
    settings.HUB_DELIVERY_BATCH = 2
    emsp = trade.reader()
    emsp.answer("/X1", misbehaviour.html(500))
    emsp.answer("/X3", misbehaviour.html(500))
    put(trade)
    put(trade, 2)
    put(trade, 3)
    put(trade, 4)
    put(trade, 5)

    deliver_all()

    assert {"X2", "X4", "X5"} <= set(others(trade))
    assert len(subscription(trade).ahead) == 3
    assert Change.objects.filter(module="sessions").count() == 5


def test_no_words_of_a_receiver_stand_where_many_read_them(
    trade: Trade, deliver_all: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    """They may quote a token: subscription, platform and log have the status, nothing else."""
    trade.reader().answer("PUT", misbehaviour.refuse(3000, "no token DE8ACC12E46L89"))
    put(trade)

    deliver_all()

    row, platform = subscription(trade), Platform.objects.get(name="P2")
    assert row.last_error == platform.last_error == "HTTP 200, status 3000"
    assert "DE8ACC" not in caplog.text


def test_a_dead_letter_keeps_the_words_of_its_receiver(trade: Trade, deliver_all: Deliver) -> None:
    """The console masks what has to be."""
    trade.reader().answer("PUT", misbehaviour.refuse(2001, "no token DE8ACC12E46L89"))
    put(trade)

    deliver_all()

    assert "DE8ACC12E46L89" in dead_letters(trade)[0].reason
