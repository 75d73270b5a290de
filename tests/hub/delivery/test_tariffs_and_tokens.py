"""Tariffs that are deleted, and Tokens that share a uid, on their way to their readers."""

from collections.abc import Callable

import pytest

from hub.delivery import engine
from hub.models import DeadLetter
from sandbox import misbehaviour
from sandbox.server import Responder
from tests.cast import Cast
from tests.hub.delivery.sessions_and_cdrs import subscription
from tests.hub.exchange import TARIFFS, TOKENS, Trade

Deliver = Callable[[], int]


def sent(trade: Trade) -> list[tuple[str, str]]:
    """Return method and last step, with its query, of what the reader was sent."""
    return [(seen.method, seen.path.rpartition("/")[2]) for seen in trade.pushes()]


@pytest.fixture
def tariffs(cast: Cast, deliver_all: Deliver) -> Trade:
    """NL-CPA's Tariffs, one of which DE-MSA has."""
    trade = Trade(TARIFFS, cast).agree(0)
    deliver_all()
    trade.push_new(trade.kind.make(1))
    deliver_all()
    trade.reader().forget()
    return trade


def test_a_deleted_tariff_is_deleted_at_its_readers(tariffs: Trade, deliver_all: Deliver) -> None:
    """As the owner's DELETE, without a body (A-27)."""
    tariffs.send("DELETE", "X1")

    deliver_all()

    assert sent(tariffs) == [("DELETE", "X1")]
    assert tariffs.pushes()[0].body == b""
    assert tariffs.reader().objects["tariffs"].objects() == {}
    assert deliver_all() == 0


def test_what_changed_before_it_was_deleted_is_not_sent(
    tariffs: Trade, deliver_all: Deliver
) -> None:
    """Nobody needs the state of what is gone."""
    tariffs.push(tariffs.kind.make(1, currency="SEK"))
    tariffs.send("DELETE", "X1")

    deliver_all()

    assert sent(tariffs) == [("DELETE", "X1")]


def test_a_tariff_that_is_back_is_sent_as_it_is(tariffs: Trade, deliver_all: Deliver) -> None:
    """However often it was deleted meanwhile."""
    for _ in range(2):
        tariffs.send("DELETE", "X1")
        tariffs.push(tariffs.kind.make(1, currency="SEK"))

    deliver_all()

    assert sent(tariffs) == [("PUT", "X1")]
    assert tariffs.reader().objects["tariffs"].objects()["NL-CPA/X1"]["currency"] == "SEK"


@pytest.mark.parametrize(
    "answer",
    [
        misbehaviour.refuse(2001, http_status=404),
        misbehaviour.refuse(2003),
        misbehaviour.refuse(2001),
        misbehaviour.detail(404),
    ],
    ids=["404 and 2001", "200 and 2003", "200 and 2001", "404"],
)
def test_a_receiver_without_the_tariff_is_content(
    tariffs: Trade, deliver_all: Deliver, answer: Responder
) -> None:
    """What was to go is not there (A-12)."""
    tariffs.reader().answer("DELETE", answer)
    tariffs.send("DELETE", "X1")

    deliver_all()

    assert not DeadLetter.objects.exists()
    assert deliver_all() == 0


def test_a_receiver_that_cannot_delete_is_on_record(tariffs: Trade, deliver_all: Deliver) -> None:
    """405 is a refusal."""
    tariffs.reader().answer("DELETE", misbehaviour.detail(405))
    tariffs.send("DELETE", "X1")

    deliver_all()

    dead_letter = DeadLetter.objects.get()
    assert (dead_letter.method, dead_letter.body) == ("DELETE", None)


def test_a_failing_object_beside_a_deleted_one_is_passed_over(
    tariffs: Trade, deliver_all: Deliver
) -> None:
    """The DELETE, sent again, proves that others pass."""
    tariffs.reader().answer("PUT /X2", misbehaviour.html(500))
    tariffs.send("DELETE", "X1")
    tariffs.push_new(tariffs.kind.make(2))

    engine.deliver_and_wait(subscription(tariffs).pk)

    assert [dead_letter.path for dead_letter in DeadLetter.objects.all()] == ["NL/CPA/X2"]


def test_a_token_of_another_type_goes_to_a_url_of_its_own(cast: Cast, deliver_all: Deliver) -> None:
    """Verbatim, as a state and in a snapshot: only by the query it differs from the card.

    Which of the two comes first is free; what becomes of one of them keeps its order.
    """
    trade = Trade(TOKENS, cast)
    card, app = trade.kind.make(1), trade.kind.make(1, type="APP_USER")
    query = "?type=APP_USER"
    cast["P1"], cast["P2"]
    for value, where in ((card, ""), (app, query)):
        assert trade.push(value, query=where).status_code == 1000
    trade.agree(0)
    deliver_all()
    assert sorted(sent(trade)) == [("PUT", "X1"), ("PUT", f"X1{query}")]

    for valid in (False, True):
        body = {"valid": valid, "last_updated": f"2027-01-0{1 + valid}T00:00:00Z"}
        trade.send("PATCH", "X1", body, query=query)
    deliver_all()
    trade.send("PATCH", "X1", {"valid": False, "last_updated": "2027-01-03T00:00:00Z"}, query=query)
    deliver_all()

    assert sent(trade)[2:] == [("PUT", f"X1{query}"), ("PATCH", f"X1{query}")]
    held = trade.reader().objects["tokens"].objects().values()
    assert {value["type"]: value["valid"] for value in held} == {
        card["type"]: card["valid"],
        "APP_USER": False,
    }
