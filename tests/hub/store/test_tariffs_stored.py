"""Tariffs as the hub keeps them, hands them on and forgets them again."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from hub.models import Change, Tariff
from sandbox import SandboxPlatform
from tests.cast import CPA, HUB, MSA, MSB, Cast, a_location, push, route
from tests.hub.concurrency import at_once, closing
from tests.hub.exchange import CDRS, SESSIONS, TARIFFS, Trade
from tests.ocpi.objects import Json

Deliver = Callable[[], int]

RESTRICTED: list[Json] = [
    {
        "price_components": [{"type": "TIME", "price": 0, "vat": 0, "step_size": 60}],
        "restrictions": {"reservation": "RESERVATION", "max_duration": 900},
    },
    {
        "price_components": [
            {"type": "ENERGY", "price": 0.2, "step_size": 1},
            {"type": "FLAT", "price": 1.25, "vat": 0.0, "step_size": 1},
        ],
        "restrictions": {
            "start_time": "22:00",
            "end_time": "07:00",
            "start_date": "2026-11-01",
            "end_date": "2027-03-01",
            "min_kwh": 0.5,
            "max_kwh": 50,
            "min_current": 6,
            "max_current": 32.5,
            "min_power": 1.4,
            "max_power": 22,
            "min_duration": 60,
            "max_duration": 7200,
            "day_of_week": ["SUNDAY", "MONDAY"],
        },
    },
    {"price_components": [{"type": "PARKING_TIME", "price": 6, "vat": 21, "step_size": 300}]},
    {
        "price_components": [
            {"type": "ENERGY", "price": 0.4, "vat": 21, "step_size": 1},
            {"type": "ENERGY", "price": 0.3, "vat": 21, "step_size": 1},
        ]
    },
]


@pytest.fixture
def trade(cast: Cast, deliver_all: Deliver) -> Trade:
    """NL-CPA and DE-MSA, which is told what changes from now on."""
    trade = Trade(TARIFFS, cast).agree(0)
    deliver_all()
    return trade


@pytest.mark.conformance("TAR-01", "TAR-02", "TAR-06")
def test_a_tariff_is_created_replaced_and_read(trade: Trade) -> None:
    """By PUT alone; TO the hub it is read as stored, TO the eMSP as that has it."""
    first, second = TARIFFS.make(1), TARIFFS.make(1, currency="CHF")
    theirs = TARIFFS.make(1, currency="SEK")
    trade.reader().objects["tariffs"].put(CPA, "X1", body=_text(theirs))

    created, replaced = trade.push(first), trade.push(second)
    forwarded = trade.send("GET", "X1", to=MSA)

    assert (created.http_status, created.status_code) == (201, 1000)
    assert (replaced.http_status, replaced.status_code) == (200, 1000)
    assert trade.get("X1") == second
    assert trade.crawl().data == [second]
    assert (forwarded.data, route(forwarded)) == (theirs, (CPA, MSA))
    assert [seen.method for seen in trade.reader().seen if "/tariffs/" in seen.path] == ["GET"]


def _text(value: Json) -> str:
    return json.dumps(value)


@pytest.mark.conformance("TAR-03", "TAR-04", "TAR-08", "TF-71")
def test_a_deleted_tariff_is_gone_everywhere(trade: Trade, deliver_all: Deliver) -> None:
    """200 although connectors still name it, then 404; each eMSP is told, the lists lack it."""
    trade.push_new(TARIFFS.make(1), TARIFFS.make(2))
    connectors: dict[str, Any] = {"tariff_ids": ["X1"]}
    location = a_location(CPA, 1, evses=1)
    location["evses"][0]["connectors"][0] |= connectors
    assert push(trade.platform, location).http_status == 201
    deliver_all()

    deleted, again = trade.send("DELETE", "X1"), trade.send("DELETE", "x1")
    deliver_all()

    assert (deleted.http_status, deleted.status_code) == (200, 1000)
    assert "data" not in deleted.json
    assert route(deleted) == (CPA, HUB)
    assert (again.http_status, again.status_code) == (404, 2001)
    assert trade.get("X1") is None
    assert trade.listed() == ["X2"]
    assert trade.page().headers["X-Total-Count"] == "1"
    last = trade.pushes()[-1]
    assert (last.method, last.body, route(last)) == ("DELETE", b"", (MSA, HUB))
    assert last.path.endswith("/receiver/tariffs/NL/CPA/X1")
    assert list(trade.reader().objects["tariffs"].objects()) == ["NL-CPA/X2"]


@pytest.mark.conformance("TAR-03", "TAR-01")
def test_a_deleted_tariff_can_be_put_again(trade: Trade, deliver_all: Deliver) -> None:
    """The same bytes are news then: 201, and whoever saw it go sees it come back."""
    value = TARIFFS.make(1)
    for _ in range(2):
        trade.push_new(value)
        deliver_all()
        trade.send("DELETE", "X1", to=None)
        deliver_all()
    trade.push_new(value)
    trade.push(value)
    deliver_all()

    methods = [seen.method for seen in trade.pushes()]
    assert methods == ["PUT", "DELETE", "PUT", "DELETE", "PUT"]
    assert trade.reader().objects["tariffs"].objects() == {"NL-CPA/X1": value}
    assert trade.listed() == ["X1"]


@pytest.mark.conformance("TAR-03")
def test_what_came_and_went_while_a_receiver_was_away_leaves_it_with_the_present(
    trade: Trade, deliver_all: Deliver
) -> None:
    """However often a tariff was put and deleted meanwhile."""
    trade.push_new(TARIFFS.make(1), TARIFFS.make(2), TARIFFS.make(3))
    deliver_all()
    trade.reader().forget()

    for number in (1, 2, 4):
        trade.send("DELETE", f"X{number}")
        trade.push(TARIFFS.make(number, currency="CHF"))
    trade.send("DELETE", "X1")
    trade.send("DELETE", "X4")
    deliver_all()

    found = trade.reader().objects["tariffs"].objects()
    assert {name: value["currency"] for name, value in found.items()} == {
        "NL-CPA/X2": "CHF",
        "NL-CPA/X3": "EUR",
    }
    assert len(trade.pushes()) <= 3


def test_puts_and_deletes_at_the_same_time_end_alike_everywhere(
    trade: Trade, deliver_all: Deliver
) -> None:
    """Each is answered as the one before left it; the receiver ends with what the hub has."""

    def work(currency: str) -> None:
        for _ in range(6):
            assert trade.push(TARIFFS.make(1, currency=currency)).status_code == 1000
            deleted = trade.send("DELETE", "X1")
            assert (deleted.http_status, deleted.status_code) in {(200, 1000), (404, 2001)}

    at_once([closing(partial(work, currency)) for currency in ("CHF", "SEK", "NOK")])
    deliver_all()
    assert trade.reader().objects["tariffs"].objects() == {}
    trade.push_new(TARIFFS.make(1))
    deliver_all()

    assert trade.reader().objects["tariffs"].objects() == {"NL-CPA/X1": trade.get("X1")}


@pytest.mark.conformance("TAR-04")
def test_a_delete_of_what_the_hub_never_had_is_not_passed_on(
    trade: Trade, deliver_all: Deliver
) -> None:
    """404, and no receiver hears of it."""
    result = trade.send("DELETE", "NOPE")
    deliver_all()

    assert (result.http_status, result.status_code) == (404, 2001)
    assert Change.objects.count() == 0
    assert trade.pushes() == []


@pytest.mark.conformance("TAR-05")
def test_a_tariff_is_neither_patched_nor_posted(trade: Trade) -> None:
    """405 since 2.2, also to a party."""
    trade.push_new(TARIFFS.make(1))

    for to in (HUB, MSA):
        patched = trade.send("PATCH", "X1", {"currency": "CHF"}, to=to)
        posted = trade.platform.hub.post("tariffs", "RECEIVER", body=TARIFFS.make(2), to=to)
        assert (patched.http_status, posted.http_status) == (405, 405)
        assert patched.headers["Allow"] == "DELETE, GET, PUT"
    assert trade.get("X1") == TARIFFS.make(1)


@pytest.mark.conformance("TAR-07")
def test_everybody_that_reads_tariffs_is_told(cast: Cast, deliver_all: Deliver) -> None:
    """eMSP, NSP, NAP and OTHER; not who offers no such endpoint, nor other CPOs."""
    names = ("P2", "P3", "P5", "P6", "P8")
    trade = Trade(TARIFFS, cast)
    assert trade.platform
    receivers = {name: cast[name] for name in names}
    without = cast.join("two eMSPs", modules={"locations": ["RECEIVER"]})
    cast["P4"]
    for name in names:
        cast.agree(("NL-CPA", str(receivers[name].party)))
    cast.agree(("NL-CPA", "AT-TWA"))
    deliver_all()

    trade.push_new(TARIFFS.make(1))
    deliver_all()

    for platform in receivers.values():
        [seen] = _tariffs(platform)
        assert (seen.method, seen.json) == ("PUT", TARIFFS.make(1))
        assert route(seen) == (platform.party, HUB)
    assert [_tariffs(cast["P4"]), _tariffs(without)] == [[], []]


def _tariffs(platform: SandboxPlatform) -> list[Any]:
    return [seen for seen in platform.seen if "/tariffs/" in seen.path]


@pytest.mark.conformance("TAR-09")
def test_what_was_charged_keeps_its_prices(trade: Trade) -> None:
    """The tariff is deleted; the CDR still has it, and so has its session its tariff's id."""
    cdrs = Trade(CDRS, trade.cast)
    trade.push_new(TARIFFS.make(1))
    cdrs.push_new(CDRS.make(1, tariffs=[TARIFFS.make(1)]))
    Trade(SESSIONS, trade.cast).push_new(SESSIONS.make(1))

    trade.send("DELETE", "X1")

    assert trade.get("X1") is None
    assert cdrs.crawl().data[0]["tariffs"] == [TARIFFS.make(1)]
    assert Trade(SESSIONS, trade.cast).crawl().data == [SESSIONS.make(1)]


@pytest.mark.conformance("TAR-10", "TAR-11")
def test_elements_and_restrictions_are_kept_as_they_are(trade: Trade, deliver_all: Deliver) -> None:
    """The first that matches wins, so order is price; no VAT is not a VAT of 0."""
    value = TARIFFS.make(1, elements=RESTRICTED, min_price={"excl_vat": 1})

    trade.push_new(value)
    deliver_all()

    [seen] = trade.pushes()
    for found in (trade.get("X1"), trade.crawl().data[0], seen.json):
        assert found == value
        components = [part["price_components"] for part in found["elements"]]
        assert [each.get("vat", "absent") for part in components for each in part] == [
            0,
            "absent",
            0.0,
            21,
            21,
            21,
        ]


@pytest.mark.conformance("TAR-12")
def test_negotiated_prices_stay_between_those_who_negotiated(cast: Cast) -> None:
    """Each eMSP lists the prices it was told, and no other; nor does the hub's own copy change."""
    trade = Trade(TARIFFS, cast).agree(0, 1)
    prices = {MSA: "CHF", MSB: "SEK"}

    for party, currency in prices.items():
        assert trade.push(TARIFFS.make(1, currency=currency), to=party).http_status == 201

    for number, currency in enumerate(prices.values()):
        page = trade.page(number)
        assert [each["currency"] for each in page.data] == [currency]
        assert page.headers["X-Total-Count"] == "1"
        [seen] = trade.pushes(number)
        assert seen.json == page.data[0]
    assert trade.get("X1") is None
    assert Change.objects.count() == 0
    assert sorted(Tariff.objects.values_list("audience", flat=True)) == ["DE-MSA", "FR-MSB"]


def test_a_newcomer_is_told_of_tariffs_first(cast: Cast, deliver_all: Deliver) -> None:
    """However they were stored: locations name tariffs, so work on those begins before (A-121)."""
    cpo = cast["P1"]
    push(cpo, a_location(CPA, 1))
    Trade(TARIFFS, cast).push_new(TARIFFS.make(1), TARIFFS.make(2))
    push(cpo, a_location(CPA, 2))
    emsp = cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))

    deliver_all()

    pushed = [seen.route.split("/")[-4] for seen in emsp.seen if seen.method == "PUT"]
    assert pushed == ["tariffs"] * 2 + ["locations"] * 2
