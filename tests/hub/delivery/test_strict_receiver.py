"""A receiver with the quirk `strict_receiver` is spared what breaks the tables, and told so."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.models import Change, Location, Snapshot
from sandbox import object_path
from tests.cast import HUB, Cast, command
from tests.hub.delivery.test_object_status import where
from tests.hub.exchange import (
    ALL,
    CDRS,
    LOCATIONS,
    PUT,
    SESSIONS,
    TARIFFS,
    TOKENS,
    Kind,
    Trade,
    each,
)
from tests.parties.commands import run

Deliver = Callable[[], int]

T1, T2, T3, T4 = (f"2027-01-0{day}T00:00:00Z" for day in (1, 2, 3, 4))
ODD: dict[str, Any] = {
    "tariffs": {"type": "CHEAP"},
    "locations": {"parking_type": "SPACE"},
    "tokens": {"whitelist": "SOMETIMES"},
    "sessions": {"status": "CHARGING"},
    "cdrs": {"auth_method": "CARD"},
}
"""A value of each module that no table has."""


@pytest.fixture
def trade(cast: Cast, kind: Kind) -> Trade:
    """An owner, a strict reader, and one that takes everything."""
    trade = Trade(kind, cast).agree(0, 1)
    command("quirks", kind.readers[0][0], "strict_receiver=on")
    return trade


def odd(trade: Trade, number: int, **changes: Any) -> Any:
    """Make an object with one value that no table has."""
    return trade.kind.make(number, **ODD[trade.kind.module], **changes)


def sent(trade: Trade, reader: int = 0) -> list[tuple[str, str]]:
    """Return method and last id of what a reader was sent, in the order of ids."""
    pushes = trade.pushes(reader)
    return sorted((seen.method, seen.route.rpartition("/")[2]) for seen in pushes)


def evse(trade: Trade, uid: str, method: str, body: Any) -> None:
    """Change an EVSE of X1 as its owner."""
    path = object_path(trade.party, "X1", uid)
    result = trade.platform.hub.send(
        method, "locations", "RECEIVER", path, body, to=HUB, sender=trade.party
    )
    assert result.status_code == 1000, str(result)


@each(*ALL)
def test_its_lists_lack_what_breaks_the_tables(trade: Trade) -> None:
    """The total and the pages are those of what is left, and the answer says how much is not."""
    trade.push_new(
        odd(trade, 1), trade.kind.make(2), odd(trade, 3), trade.kind.make(4), trade.kind.make(5)
    )

    page = trade.page(limit=2)
    assert trade.ids(page.data) == ["X2", "X4"]
    assert page.headers["X-Total-Count"] == "3"
    assert "2 objects break" in str(page.message)
    assert trade.ids(trade.crawl(limit=2).data) == ["X2", "X4", "X5"]
    assert trade.listed(offset=1) == ["X4", "X5"]


@each(*PUT)
def test_dates_and_the_total_agree(trade: Trade) -> None:
    """What is left out is counted of the same dates."""
    trade.push_new(
        odd(trade, 1, last_updated=T1), odd(trade, 2, last_updated=T3), trade.kind.make(3)
    )
    trade.push(trade.kind.make(3, last_updated=T3))

    page = trade.page(date_from=T2)

    assert trade.ids(page.data) == ["X3"]
    assert page.headers["X-Total-Count"] == "1"
    assert "1 object breaks" in str(page.message)


@each(LOCATIONS, TOKENS, TARIFFS)
def test_everybody_else_gets_everything(trade: Trade, deliver_all: Deliver) -> None:
    """And is told nothing about it."""
    trade.push_new(odd(trade, 1), trade.kind.make(2))
    deliver_all()

    page = trade.page(1)
    assert trade.ids(page.data) == ["X1", "X2"]
    assert page.headers["X-Total-Count"] == "2"
    assert not page.message
    assert len(trade.pushes(1)) == 2


@each(LOCATIONS)
def test_one_object_that_it_asks_for_is_answered(trade: Trade) -> None:
    """By its id: nothing else is lost with it."""
    trade.push_new(odd(trade, 1))
    name, party = trade.kind.readers[0]

    found = trade.cast[name].hub.get("locations", "SENDER", "X1", to=HUB, sender=party)

    assert found.data["parking_type"] == "SPACE"


@each(TARIFFS, LOCATIONS, TOKENS)
def test_what_breaks_the_tables_is_not_sent(trade: Trade, deliver_all: Deliver) -> None:
    """Neither new nor changed; the receiver keeps the last that was right."""
    deliver_all()
    trade.push_new(trade.kind.make(1), odd(trade, 2))
    deliver_all()
    assert sent(trade) == [("PUT", "X1")]
    trade.reader().forget()

    trade.push(odd(trade, 1, last_updated=T3))
    deliver_all()

    assert sent(trade) == []
    assert len(trade.pushes(1)) == 3
    assert deliver_all() == 0


@each(TARIFFS, LOCATIONS, TOKENS)
def test_what_becomes_right_is_sent(trade: Trade, deliver_all: Deliver) -> None:
    """It reaches the receiver with the very message that mends it, and its lists too."""
    deliver_all()
    trade.push_new(odd(trade, 1))
    deliver_all()
    assert sent(trade) == []

    trade.push(trade.kind.make(1, last_updated=T3))
    deliver_all()

    assert len(trade.pushes()) == 1
    assert trade.listed() == ["X1"]


@each(LOCATIONS, TOKENS)
def test_what_a_patch_mends_is_sent_whole(trade: Trade, deliver_all: Deliver) -> None:
    """The receiver lacks what the PATCH is about, or has it as it was long ago."""
    deliver_all()
    value = trade.kind.make(1)
    trade.push_new(value)
    deliver_all()
    name = next(iter(ODD[trade.kind.module]))
    trade.send("PATCH", "X1", {**ODD[trade.kind.module], "issuer": "I", "last_updated": T2})
    deliver_all()
    trade.reader().forget()

    right = {"parking_type": "ON_STREET", "whitelist": "ALWAYS"}[name]
    trade.send("PATCH", "X1", {name: right, "last_updated": T3})
    deliver_all()

    [seen] = trade.pushes()
    assert seen.method == "PUT"
    assert (seen.json[name], seen.json["issuer"]) == (right, "I")


@each(LOCATIONS)
def test_an_evse_that_breaks_the_tables_makes_its_location_odd(
    trade: Trade, deliver_all: Deliver
) -> None:
    """By a PUT or PATCH of it alone, too, until it is right again; then the Location goes whole."""
    value = trade.kind.make(1)
    trade.push_new(value)
    deliver_all()
    trade.reader().forget()
    uid = value["evses"][0]["uid"]

    evse(trade, uid, "PATCH", {"status": "CHARGING ", "last_updated": T2})
    deliver_all()
    assert (trade.listed(), sent(trade)) == ([], [])

    evse(trade, uid, "PUT", {**value["evses"][0], "status": "OCCUPIED", "last_updated": T3})
    evse(trade, "E9", "PUT", {**value["evses"][0], "uid": "E9", "last_updated": T3})
    deliver_all()
    assert (trade.listed(), sent(trade)) == ([], [])

    evse(trade, uid, "PATCH", {"status": "CHARGING", "last_updated": T4})
    deliver_all()
    assert trade.listed() == ["X1"]
    assert sent(trade) == [("PUT", "X1")]
    assert {each["uid"] for each in trade.pushes()[0].json["evses"]} == {uid, "E9"} | {
        each["uid"] for each in value["evses"]
    }


@each(LOCATIONS)
def test_an_odd_evse_that_a_put_leaves_out_counts_no_more(trade: Trade) -> None:
    """Nor does it count twice when it comes back."""
    value = trade.kind.make(1)
    first, *_ = value["evses"]
    wrong = {**first, "uid": "E8", "status": "BUSY"}
    trade.push_new({**value, "evses": [first, wrong]})
    assert trade.listed() == []

    trade.push({**value, "evses": [first], "last_updated": T2})
    assert trade.listed() == ["X1"]
    evse(trade, "E8", "PUT", {**wrong, "last_updated": T3})
    assert trade.listed() == []
    evse(trade, "E8", "PATCH", {"status": "AVAILABLE", "last_updated": T4})

    assert trade.listed() == ["X1"]
    found = Location.objects.get()
    assert (found.findings, found.part_findings) == (0, 0)


@each(LOCATIONS)
def test_a_status_of_a_right_location_goes_out_as_it_came(
    trade: Trade, deliver_all: Deliver
) -> None:
    """A receiver that is strict costs those no message that are right."""
    value = trade.kind.make(1)
    trade.push_new(value)
    deliver_all()
    trade.reader().forget()

    evse(trade, value["evses"][0]["uid"], "PATCH", {"status": "CHARGING", "last_updated": T2})
    deliver_all()

    [seen] = trade.pushes()
    assert seen.json == {"status": "CHARGING", "last_updated": T2}
    assert Change.objects.filter(method="PATCH", revision=2).exists()


@each(LOCATIONS)
def test_a_snapshot_leaves_it_out(cast: Cast, kind: Kind, deliver_all: Deliver) -> None:
    """And comes to its end."""
    trade = Trade(kind, cast)
    trade.push_new(odd(trade, 1), kind.make(2), odd(trade, 3))
    assert trade.reader()
    command("quirks", kind.readers[0][0], "strict_receiver=on")
    trade.agree(0)

    deliver_all()

    assert sent(trade) == [("PUT", "X2")]
    assert Snapshot.objects.get(subscription__module="locations").finished_at is not None


@each(TARIFFS)
def test_a_delete_is_sent_whatever_the_object_was(trade: Trade, deliver_all: Deliver) -> None:
    """The receiver may have had it while it was right."""
    trade.push_new(trade.kind.make(1))
    deliver_all()
    trade.push(odd(trade, 1, last_updated=T2))
    deliver_all()
    trade.reader().forget()

    trade.send("DELETE", "X1")
    deliver_all()

    assert [method for method, _ in sent(trade)] == ["DELETE"]


@each(SESSIONS, CDRS)
def test_sessions_and_cdrs_are_sent_as_they_are(trade: Trade, deliver_all: Deliver) -> None:
    """Each message stands for itself; one that is refused is a dead letter, no money is lost."""
    trade.push_new(odd(trade, 1))

    deliver_all()

    assert len(trade.pushes()) == 1


@each(LOCATIONS)
def test_who_has_it_says_that_it_is_left_out(trade: Trade, deliver_all: Deliver) -> None:
    """To the strict receiver, with how much is wrong; it has the last that was right."""
    trade.push_new(trade.kind.make(1))
    deliver_all()
    trade.push(odd(trade, 1, last_updated=T3, images=None))
    deliver_all()

    strict = where("LOCATION", "NL", "CPA", "X1")
    other = where("LOCATION", "NL", "CPA", "X1", party="FR-MSB")

    assert (strict["outcome"], strict["revision"], strict["newest"]) == ("left out", 1, 2)
    assert "1 member breaks the tables" in strict["why"]
    assert (other["outcome"], other["revision"]) == ("delivered", 2)


@each(LOCATIONS)
def test_subscriptions_say_how_many_are_left_out(trade: Trade, deliver_all: Deliver) -> None:
    """Of a receiver that is strict."""
    trade.push_new(odd(trade, 1), odd(trade, 2), trade.kind.make(3))
    deliver_all()

    found = {
        each["receiver"]: each["left_out"]
        for each in command("subscriptions", "--module", "locations")
    }

    assert (found["DE-MSA"], found["FR-MSB"]) == (2, 0)
    assert "2 left out: it is strict" in run("subscriptions", "--party", "DE-MSA")


@each(LOCATIONS)
def test_who_is_strict_no_longer_gets_what_it_was_spared(
    trade: Trade, deliver_all: Deliver
) -> None:
    """Once, and with everything else of that owner."""
    trade.push_new(odd(trade, 1), trade.kind.make(2))
    deliver_all()
    assert sent(trade) == [("PUT", "X2")]
    trade.reader().forget()

    command("quirks", "P2", "strict_receiver=off")
    deliver_all()

    assert sent(trade) == [("PUT", "X1"), ("PUT", "X2")]
    assert deliver_all() == 0
