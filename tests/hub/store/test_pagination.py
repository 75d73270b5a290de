"""Lists in pages: parameters, headers, order, and who sees what."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ocpi.transport.pagination import read_link
from sandbox import SandboxPlatform
from tests.cast import CPA, CPB, HUB, MSA, MSB, Cast, a_location, push

Pair = tuple[SandboxPlatform, SandboxPlatform]
MOMENTS = [f"2026-03-0{day}T00:00:00Z" for day in range(1, 6)]
FIVE = ["L1", "L2", "L3", "L4", "L5"]


@pytest.fixture
def reader(pair: Pair) -> SandboxPlatform:
    """DE-MSA, with five locations of NL-CPA to read, one for each of five days."""
    for number, moment in enumerate(MOMENTS, start=1):
        assert push(pair[0], a_location(CPA, number, last_updated=moment)).http_status == 201
    return pair[1]


def _ids(platform: SandboxPlatform, **query: object) -> list[str]:
    """Return the ids of the page a query yields, with X-Total-Count checked to be a number."""
    page = platform.hub.list("locations", query, to=HUB, follow=False).pages[0]
    assert (page.http_status, page.status_code) == (200, 1000), str(page)
    assert page.headers["X-Total-Count"].isdigit()
    return [each["id"] for each in page.data]


@pytest.mark.conformance("TF-20", "TF-21", "TF-22", "TF-23")
def test_each_parameter_narrows_the_list(reader: SandboxPlatform) -> None:
    """date_from is inclusive, date_to exclusive, offset counts objects, and they combine."""
    second, fourth = MOMENTS[1], MOMENTS[3]

    assert _ids(reader) == FIVE
    assert _ids(reader, date_from=second) == ["L2", "L3", "L4", "L5"]
    assert _ids(reader, date_to=fourth) == ["L1", "L2", "L3"]
    assert _ids(reader, date_from=second, date_to=fourth) == ["L2", "L3"]
    assert _ids(reader, date_from=second, date_to=second) == []
    assert _ids(reader, date_from="2026-03-02T00:00:00.001Z") == ["L3", "L4", "L5"]
    assert _ids(reader, date_from="2026-03-02T01:00:00+01:00", limit=1) == ["L2"]
    assert _ids(reader, offset=2, limit=2) == ["L3", "L4"]
    assert _ids(reader, offset=1, limit=2, date_from=second, date_to=MOMENTS[4]) == ["L3", "L4"]
    assert _ids(reader, limit=1) == ["L1"]


@pytest.mark.conformance("TF-24", "TF-25")
def test_totals_and_limits_are_told_on_every_page(
    reader: SandboxPlatform, settings: LazySettings
) -> None:
    """X-Total-Count ignores limit and offset, X-Limit is the server's own maximum."""
    settings.HUB_PAGE_LIMIT = 3

    crawl = reader.hub.list("locations", {"limit": 2}, to=HUB)
    assert [len(page.data) for page in crawl.pages] == [2, 2, 1]
    assert [page.headers["X-Total-Count"] for page in crawl.pages] == ["5"] * 3
    assert [page.headers["X-Limit"] for page in crawl.pages] == ["3"] * 3
    for query in ({"limit": 2000}, {}):
        greedy = reader.hub.list("locations", query, to=HUB)
        assert [len(page.data) for page in greedy.pages] == [3, 2]
    assert _ids(reader, offset=4, limit=2) == ["L5"]


@pytest.mark.conformance("TF-26")
def test_the_link_carries_filters_limit_and_position(
    reader: SandboxPlatform, settings: LazySettings
) -> None:
    """`Link: <absolute URL of the hub>; rel="next"` on every page but the last."""
    query = {
        "date_from": "2026-03-01T00:00:00.0001+00:00",
        "date_to": "2026-03-05T00:00:00.0009",
        "limit": 2,
        "unknown": "x>y\r\nz",
    }
    address = urlsplit(settings.HUB_PUBLIC_URL)
    settings.HUB_PUBLIC_URL = "https://hub.example"

    page = reader.hub.list("locations", query, to=HUB, follow=False).pages[0]

    link = page.headers["Link"]
    assert link.startswith("<https://hub.example/ocpi/2.2.1/sender/locations?")
    assert link.endswith('>; rel="next"')
    url = urlsplit(read_link(link, base_url="") or "")
    carried = {name: value[0] for name, value in parse_qs(url.query).items()}
    assert carried.pop("cursor")
    assert carried == {
        "date_from": query["date_from"],
        "date_to": query["date_to"],
        "offset": "2",
        "limit": "2",
    }
    local = url._replace(scheme=address.scheme, netloc=address.netloc).geturl()
    last = reader.hub.call("GET", local)
    assert [each["id"] for each in page.data + last.data] == ["L2", "L3", "L4", "L5"]
    assert "Link" not in last.headers


@pytest.mark.conformance("TF-26", "TF-27")
@given(size=st.integers(1, 6), offset=st.integers(0, 6), first=st.integers(0, 5))
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_crawl_yields_each_object_once(
    reader: SandboxPlatform, size: int, offset: int, first: int
) -> None:
    """Following Link from any start with any limit neither skips nor repeats."""
    query = {"limit": size, "offset": offset}
    if first < 5:
        query["date_from"] = MOMENTS[first]  # type: ignore[assignment]  # a query of both kinds

    crawl = reader.hub.list("locations", query, to=HUB)

    expected = FIVE[first if first < 5 else 0 :][offset:]
    assert [each["id"] for each in crawl.data] == expected
    assert all("Link" in page.headers for page in crawl.pages[:-1])
    assert "Link" not in crawl.pages[-1].headers


@pytest.mark.conformance("TF-27")
def test_an_update_in_the_middle_of_a_crawl_loses_nothing(
    pair: Pair, reader: SandboxPlatform
) -> None:
    """Oldest first by creation: what changes meanwhile keeps its place, what is new is last."""
    seen: list[str] = []
    page = reader.hub.list("locations", {"limit": 1}, to=HUB, follow=False).pages[0]
    for number in range(1, 8):
        seen += [each["id"] for each in page.data]
        push(pair[0], a_location(CPA, 1, last_updated=f"2026-04-0{number}T00:00:00Z"))
        push(pair[0], a_location(CPA, 6))
        link = read_link(page.headers.get("Link"), base_url="")
        if link is None:
            break
        page = reader.hub.call("GET", link)

    assert seen == [*FIVE, "L6"]


@pytest.mark.conformance("TF-28")
def test_an_empty_list_is_a_list(reader: SandboxPlatform) -> None:
    """Nothing matches, or the offset lies beyond the end: `[]` and no Link."""
    future = reader.hub.list("locations", {"date_from": "2999-01-01T00:00:00Z"}, to=HUB).pages
    beyond = reader.hub.list("locations", {"offset": 9999}, to=HUB).pages

    for pages, total in ((future, "0"), (beyond, "5")):
        assert [(page.http_status, page.status_code, page.data) for page in pages] == [
            (200, 1000, [])
        ]
        assert b'"data":[]' in pages[0].body
        assert pages[0].headers["X-Total-Count"] == total
        assert "Link" not in pages[0].headers


@pytest.mark.conformance("TF-29", "ST-06")
def test_malformed_parameters_are_2001_and_named(reader: SandboxPlatform) -> None:
    """A parameter that cannot be read is refused by name, with no data."""
    wrong = {
        "limit": ["-1", "0", "x", "1.5", "\u0661", "9" * 19, "1e3"],
        "offset": ["x", "-1", "0x1", "9" * 19],
        "date_from": ["yesterday", "2026-13-01T00:00:00Z", "2026-01-01", "0"],
        "date_to": ["2026-02-30T00:00:00Z", "x\0"],
    }

    for name, values in wrong.items():
        for value in values:
            page = reader.hub.list("locations", {name: value}, to=HUB).pages[0]
            assert (page.http_status, page.status_code) == (200, 2001), (name, value)
            assert "data" not in page.json
            assert name in str(page.message)
    both = reader.hub.list("locations", {"limit": "x", "offset": "y"}, to=HUB).pages[0]
    assert "limit" in str(both.message)
    assert "offset" in str(both.message)


def test_huge_parameters_are_numbers_too(reader: SandboxPlatform) -> None:
    """The largest and the earliest values that can be written are answered, not crashed on."""
    assert _ids(reader, offset="9" * 18) == []
    assert _ids(reader, limit="9" * 18) == FIVE
    assert _ids(reader, date_from="0001-01-01T00:00:00+14:00") == FIVE
    assert _ids(reader, date_to="9999-12-31T23:59:59-14:00") == FIVE


@pytest.mark.conformance("TF-30", "TF-24")
def test_what_is_not_for_the_caller_is_not_in_its_list(cast: Cast) -> None:
    """Objects of owners without an agreement are neither listed nor counted."""
    cpo, first, second = cast["P1"], cast["P2"], cast["P3"]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPB", "FR-MSB"), ("NL-CPA", "FR-MSB"))
    push(cpo, a_location(CPA, 1))
    push(cpo, a_location(CPB, 2))
    push(cpo, a_location(CPB, 3))

    for platform, party, expected in ((first, MSA, ["L1"]), (second, MSB, FIVE[:3])):
        crawl = platform.hub.list("locations", {"limit": 1}, to=HUB, sender=party)
        assert [each["id"] for each in crawl.data] == expected
        assert {page.headers["X-Total-Count"] for page in crawl.pages} == {str(len(expected))}
        for identifier in FIVE[:3]:
            found = platform.hub.get("locations", "SENDER", identifier, to=HUB)
            assert found.http_status == (200 if identifier in expected else 404)


def test_a_followed_link_needs_no_routing_headers(reader: SandboxPlatform) -> None:
    """Clients forget the headers on follow-up pages: the link knows for whom it was made (A-46)."""
    page = reader.hub.list("locations", {"limit": 4}, to=HUB, follow=False).pages[0]
    link = read_link(page.headers["Link"], base_url="") or ""

    assert [each["id"] for each in reader.hub.call("GET", link).data] == ["L5"]


def test_a_page_link_is_for_its_own_reader(cast: Cast, reader: SandboxPlatform) -> None:
    """Another platform cannot follow a link that was made for DE-MSA."""
    page = reader.hub.list("locations", {"limit": 4}, to=HUB, follow=False).pages[0]
    link = read_link(page.headers["Link"], base_url="") or ""

    result = cast["P3"].hub.call("GET", link)

    assert (result.http_status, result.status_code) == (200, 2001)


@pytest.mark.conformance("TF-43")
def test_the_counts_of_a_relayed_list_are_its_owners(pair: Pair) -> None:
    """On a direct list X-Total-Count and X-Limit are the upstream's, whatever the hub keeps."""
    cpo, emsp = pair
    for number in range(1, 4):
        body = a_location(CPA, number)
        cpo.own["locations"]["NL", "CPA", body["id"]] = json.dumps(body)

    result = emsp.hub.get("locations", "SENDER", "?limit=2&date_from=2020-01-01T00:00:00Z", to=CPA)

    assert [each["id"] for each in result.data] == ["L1", "L2"]
    assert (result.headers["X-Total-Count"], result.headers["X-Limit"]) == ("3", "50")
    assert cpo.wait_for("GET").path.endswith("?limit=2&date_from=2020-01-01T00:00:00Z")
