"""The lists of all modules in pages: the same parameters, headers and order everywhere."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings

from ocpi.transport.pagination import read_link
from sandbox import Result
from tests.cast import HUB, Cast
from tests.hub.exchange import ALL, TARIFFS, Kind, Trade, each

MOMENTS = [f"2026-03-0{day}T00:00:00Z" for day in range(1, 6)]
FIVE = ["X1", "X2", "X3", "X4", "X5"]


@pytest.fixture
def trade(cast: Cast, kind: Kind) -> Trade:
    """Five objects for the first reader, one for each of five days."""
    trade = Trade(kind, cast).agree(0)
    trade.push_new(
        *(kind.make(n, last_updated=moment) for n, moment in enumerate(MOMENTS, start=1))
    )
    return trade


@each(*ALL)
@pytest.mark.conformance("TF-20", "TF-21", "TF-22", "TF-23", "TAR-06")
def test_each_parameter_narrows_the_list(trade: Trade) -> None:
    """date_from is inclusive, date_to exclusive, offset counts objects, and they combine."""
    second, fourth = MOMENTS[1], MOMENTS[3]

    assert trade.listed() == FIVE
    assert trade.listed(date_from=second) == FIVE[1:]
    assert trade.listed(date_to=fourth) == FIVE[:3]
    assert trade.listed(date_from=second, date_to=fourth) == FIVE[1:3]
    assert trade.listed(date_from=second, date_to=second) == []
    assert trade.listed(offset=2, limit=2) == FIVE[2:4]
    assert trade.listed(offset=1, limit=2, date_from=second, date_to=MOMENTS[4]) == FIVE[2:4]


@each(*ALL)
@pytest.mark.conformance("TF-24", "TF-25", "TF-26")
def test_each_page_tells_total_limit_and_the_next_with_all_filters(
    trade: Trade, settings: LazySettings
) -> None:
    """X-Total-Count is what matches, X-Limit the server's maximum, Link the way to the rest."""
    settings.HUB_PAGE_LIMIT = 3
    filters: dict[str, Any] = {"date_from": MOMENTS[0], "date_to": "2026-03-05T00:00:00.5"}

    crawl = trade.crawl(limit=2, **filters)

    assert trade.ids(crawl.data) == FIVE
    assert [len(page.data) for page in crawl.pages] == [2, 2, 1]
    assert {page.headers["X-Total-Count"] for page in crawl.pages} == {"5"}
    assert {page.headers["X-Limit"] for page in crawl.pages} == {"3"}
    assert "Link" not in crawl.pages[-1].headers
    for page, offset in zip(crawl.pages[:-1], ("2", "4"), strict=True):
        url = read_link(page.headers["Link"], base_url="") or ""
        carried = {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(trade.reader().hub.endpoint(trade.kind.module, "SENDER") + "?")
        assert carried.pop("cursor")
        assert carried == {**filters, "limit": "2", "offset": offset}
    assert [len(page.data) for page in trade.crawl(limit=2000).pages] == [3, 2]
    assert trade.page(date_from=MOMENTS[3], limit=1).headers["X-Total-Count"] == "2"


@each(*ALL)
@pytest.mark.conformance("TF-28", "TF-29")
def test_nothing_is_an_empty_list_and_nonsense_is_2001(trade: Trade) -> None:
    """Nothing matches, or nothing is left: `[]`; a malformed parameter is named, without data."""
    nothing: dict[str, Any] = {"date_from": "2999-01-01T00:00:00Z"}
    for query, total in ((nothing, "0"), ({"offset": 9999}, "5")):
        page = trade.page(**query)
        assert (page.http_status, page.status_code, page.data) == (200, 1000, [])
        assert page.headers["X-Total-Count"] == total
        assert "Link" not in page.headers
    for name, value in (
        ("limit", "-1"),
        ("limit", "0"),
        ("offset", "x"),
        ("date_from", "yesterday"),
        ("date_to", "2026-02-30T00:00:00Z"),
        ("cursor", "1-2"),
        ("cursor", "x-y-NL-CPA"),
    ):
        asked: dict[str, Any] = {name: value}
        page = trade.page(**asked)
        assert (page.http_status, page.status_code) == (200, 2001), (name, value)
        assert "data" not in page.json
        assert name in str(page.message)


@each(*ALL)
@pytest.mark.parametrize("by_link", [True, False], ids=["link", "offset"])
@pytest.mark.conformance("TF-27")
def test_changes_between_two_pages_lose_and_repeat_nothing(trade: Trade, *, by_link: bool) -> None:
    """What is updated keeps its place in the order of creation, what is new comes last."""
    seen: list[str] = []
    kind, page, new = trade.kind, trade.page(limit=2), 6

    while page.data:
        seen += trade.ids(page.data)
        if not kind.is_posted:
            for number in (1, 4):
                trade.push(kind.make(number, last_updated=f"2026-04-0{new}T00:00:00Z"))
        if new <= 7:
            trade.push_new(kind.make(new))
            new += 1
        if by_link and "Link" not in page.headers:
            break
        page = _following(trade, page) if by_link else trade.page(limit=2, offset=len(seen))

    assert seen[:5] == FIVE
    assert seen == sorted(set(seen))
    assert trade.listed() == [*FIVE, "X6", "X7"]


def _following(trade: Trade, page: Result) -> Result:
    """Follow the Link of a page, without any headers."""
    return trade.reader().hub.call("GET", read_link(page.headers["Link"], base_url="") or "")


@each(*ALL)
@pytest.mark.conformance("TF-27")
def test_a_crawl_amid_pushes_at_the_same_time_is_complete(trade: Trade) -> None:
    """Whatever is written while it runs, what was there before is in it exactly once."""
    kind = trade.kind

    def write() -> None:
        for number in range(6, 14):
            trade.push_new(kind.make(number))
            if not kind.is_posted:
                trade.push(kind.make(number % 5 + 1, last_updated=f"2026-05-01T00:00:{number:02}Z"))

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        found = trade.ids(trade.crawl(limit=1).data)
        writing.result()

    assert found[:5] == FIVE
    assert len(set(found)) == len(found)
    assert len(trade.listed()) == 13


@pytest.mark.parametrize("kind", [TARIFFS])
@pytest.mark.conformance("TF-27")
def test_what_is_deleted_in_the_middle_of_a_crawl_takes_nothing_else_along(trade: Trade) -> None:
    """A Link goes on behind the last object, however few are left before it (A-47)."""
    first = trade.page(limit=2)
    trade.send("DELETE", "X1")
    trade.send("DELETE", "X4")

    second = _following(trade, first)

    assert trade.ids(first.data) == ["X1", "X2"]
    assert trade.ids(second.data) == ["X3", "X5"]
    assert trade.page().headers["X-Total-Count"] == "3"


@each(*ALL)
@pytest.mark.conformance("TF-30", "TF-24")
def test_what_is_not_for_the_caller_is_neither_listed_nor_counted(cast: Cast, kind: Kind) -> None:
    """Without an agreement nothing; of sessions and CDRs what was charged with one's own token."""
    trade = Trade(kind, cast).agree(0)
    if kind.is_personal:
        trade.agree(1)
    trade.push_new(kind.make(1), kind.make(2), kind.make(3, reader=1 if kind.is_personal else 0))

    expected = (["X1", "X2"], ["X3"]) if kind.is_personal else (["X1", "X2", "X3"], [])
    assert trade.reader(1)
    for number, ids in enumerate(expected):
        crawl = trade.crawl(number, limit=1)
        assert trade.ids(crawl.data) == ids
        assert {page.headers["X-Total-Count"] for page in crawl.pages} == {str(len(ids))}
    theirs = trade.platform.hub.list(kind.module, to=HUB, sender=trade.party)
    assert theirs.data == []


@each(*ALL)
@pytest.mark.conformance("TF-77", "TF-78")
def test_platforms_of_two_versions_get_the_same_list_under_their_own_urls(
    cast: Cast, kind: Kind
) -> None:
    """OCPI 2.2 and 2.2.1 differ in nothing the hub would have to rewrite; nor need owners be up."""
    cast.join(kind.readers[0][0], versions=("2.2",))
    trade = Trade(kind, cast).agree(0, 1)
    trade.push_new(kind.make(1), kind.make(2, x_new=[1, {}]))
    if kind.is_personal:
        trade.push_new(kind.make(3, reader=1), kind.make(4, reader=1, x_new=[1, {}]))
    trade.platform.stop()

    for number, version in enumerate(("2.2", "2.2.1")):
        crawl = trade.crawl(number, limit=1)
        assert [each.get("x_new") for each in crawl.data] == [None, [1, {}]]
        assert f"/ocpi/{version}/sender/{kind.module}?" in crawl.pages[0].headers["Link"]
