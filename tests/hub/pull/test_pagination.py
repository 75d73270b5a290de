"""Where a list goes on: by its Link where that is fit to follow, else by counting."""

import pytest

from hub.pull import pagination
from hub.pull.pagination import Continuation, CrawlPosition, Listing, PagingInfo, at, continuation
from ocpi.types import parse_datetime

ENDPOINT = "https://cpo.example:8443/ocpi/locations/"
LISTING = Listing(ENDPOINT, None, 100)
FIRST = at(LISTING)


def after(
    link: str | None,
    *,
    count: int = 100,
    position: CrawlPosition = FIRST,
    **paging: int | bool | None,
) -> Continuation:
    """Decide after a page of so many objects with this Link."""
    page = PagingInfo(count, link, **paging)  # type: ignore[arg-type]
    return continuation(LISTING, position, page, visited={position.url})


def test_the_first_page_has_date_and_limit() -> None:
    """The endpoint stays as advertised, its slash included."""
    since = parse_datetime("2026-11-21T05:32:00Z")
    assert FIRST.url == f"{ENDPOINT}?limit=100"
    listing = Listing(ENDPOINT, since, 5)
    assert at(listing).url == f"{ENDPOINT}?date_from=2026-11-21T05%3A32%3A00Z&limit=5"


@pytest.mark.parametrize(
    "link,url",
    [
        (f'<{ENDPOINT}?cursor=a%2Fb%3D>; rel="next"', f"{ENDPOINT}?cursor=a%2Fb%3D"),
        ('<?cursor=b>; rel="next"', f"{ENDPOINT}?cursor=b"),
        ('</other/path?x=1>; rel="next"', "https://cpo.example:8443/other/path?x=1"),
        ('<HTTPS://CPO.example:8443/p>; rel="next"', "https://CPO.example:8443/p"),
    ],
)
def test_a_link_to_the_same_origin_is_followed_as_it_is(link: str, url: str) -> None:
    """Whatever path and query it has, absolute or relative."""
    assert after(link) == Continuation(CrawlPosition(url, 100))


@pytest.mark.parametrize(
    "link",
    [
        '<https://elsewhere.example/ocpi/locations/?offset=100>; rel="next"',
        '<http://cpo.example:8443/ocpi/locations/?offset=100>; rel="next"',
        '<https://cpo.example/ocpi/locations/?offset=100>; rel="next"',
        '<https://cpo.example:8443@evil.example/>; rel="next"',
        '<//evil.example/x>; rel="next"',
        '<https://[::/x>; rel="next"',
        f'<{ENDPOINT}?{"x" * 3000}>; rel="next"',
        f"<{FIRST.url}>; rel=next",
    ],
)
def test_a_link_that_must_not_be_followed_gives_way_to_the_offset(link: str) -> None:
    """Another host, scheme or port, itself, or no URL: with a remark for the operator."""
    found = after(link, total=250)
    assert found.position == CrawlPosition(f"{ENDPOINT}?offset=100&limit=100", 100, by_offset=True)
    assert found.remark.startswith("its Link")


def test_without_a_total_such_a_list_ends_where_it_is_not_full() -> None:
    """And nobody knows whether that was all."""
    found = after('<https://elsewhere.example/>; rel="next"', count=30)
    assert (found.position, found.is_certain) == (None, False)


@pytest.mark.parametrize("link", [None, "", " ", "<>", '<>; rel="next"', '<x>; rel="prev"'])
def test_a_list_ends_without_link_when_all_came(link: str | None) -> None:
    """An empty Link is none; the total says that nothing is left."""
    assert after(link, count=50, total=50) == Continuation(None)
    assert after(link, count=50) == Continuation(None)


@pytest.mark.parametrize("link", [None, "", '<>; rel="next"'])
def test_a_missing_link_is_made_up_for_by_counting(link: str | None) -> None:
    """X-Total-Count says that there is more; or a full page makes it likely."""
    following = CrawlPosition(f"{ENDPOINT}?offset=100&limit=100", 100, by_offset=True)
    assert after(link, total=101) == Continuation(following)
    assert after(link) == Continuation(following)
    assert after(link, count=40, limit=40).position is not None


def test_by_offset_links_are_not_looked_at_any_more() -> None:
    """Who led astray once would do so again."""
    position = at(LISTING, 100, by_offset=True)
    found = after('<?cursor=x>; rel="next"', position=position, total=300)
    assert found == Continuation(at(LISTING, 200, by_offset=True))


def test_a_total_that_promises_too_much_ends_at_the_empty_page() -> None:
    """A total that ignores date_from, say; whether anything is missing is uncertain."""
    position = at(LISTING, 100, by_offset=True)
    assert after(None, count=0, position=position, total=5000) == Continuation(
        None, is_certain=False
    )


def test_an_empty_page_with_a_link_is_passed() -> None:
    """Cursors may skip what is filtered out."""
    assert after('<?cursor=x>; rel="next"', count=0) == Continuation(
        CrawlPosition(f"{ENDPOINT}?cursor=x", 0)
    )


@pytest.mark.parametrize("by_offset", [False, True])
def test_the_same_page_again_ends_a_list_that_says_there_is_more(*, by_offset: bool) -> None:
    """Whether Links go in circles or the offset is ignored: the rest cannot be reached."""
    position = at(LISTING, 100, by_offset=by_offset)
    found = after('<?cursor=x>; rel="next"', position=position, total=300, is_repeated=True)
    assert found.position is None
    assert not found.is_certain
    assert pagination.MOST_PAGES < 100_000


def test_the_same_page_again_is_the_end_when_it_comes_by_offset_too() -> None:
    """Behind two pages, without a total: a Link gives way to the offset, and that proves it."""
    position = at(LISTING, 200)
    by_link = after('<?cursor=x>; rel="next"', position=position, is_repeated=True)
    assert by_link.position == at(LISTING, 200, by_offset=True)

    by_offset = after(None, position=by_link.position, is_repeated=True)

    assert (by_offset.position, by_offset.is_certain) == (None, True)
