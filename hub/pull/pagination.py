"""Pagination: where a list goes on, by its Link or else by offset, decided without I/O.

Spec: 2.2.1 transport and format, pagination; TF-32, A-45. A Link is followed as it is, but only to
the origin of the endpoint that the platform registered. If it is missing although X-Total-Count
says that there is more, or leads elsewhere or in circles, the list goes on by endpoint and offset.

A page that came before proves the end of a list, unless its total says that there is more: by
offset too nothing follows. Where the only page has as many objects as were asked for, the peer may
ignore the offset and honour the limit. A longer page is asked for then (a *probe*): if the same
one comes, that is all there is.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime

from yarl import URL

from ocpi import client
from ocpi.transport.pagination import PageRequest, read_link

MOST_PAGES = 20_000
"""Of one crawl, in case a list has no end."""
LONGEST_URL = 2_000
_CIRCLE = "its Links go in circles"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a crawl asks for: the list at an endpoint, from a date on, in pages of `limit`."""

    endpoint: str
    date_from: datetime | None
    limit: int


@dataclass(frozen=True, slots=True)
class CrawlPosition:
    """A page of a list: its URL, and how many objects come before it.

    Once a list goes on `by_offset`, its Links are ignored.
    """

    url: str
    received: int = 0
    by_offset: bool = False


@dataclass(frozen=True, slots=True)
class PagingInfo:
    """What a page says about the rest: its number of objects, Link, X-Total-Count and X-Limit.

    It `is_repeated` if the same objects came before. `number` counts the pages of the crawl;
    `total_before` is the total that the page before it gave.
    """

    count: int
    link: str | None = None
    total: int | None = None
    limit: int | None = None
    is_repeated: bool = False
    number: int = 1
    total_before: int | None = None


@dataclass(frozen=True, slots=True)
class Continuation:
    """The next page, None at the end of the list; `remark` says what was odd about its Link.

    An end `is_certain` unless objects seem to be left to which nothing leads.
    """

    position: CrawlPosition | None
    remark: str = ""
    is_certain: bool = True


def at(
    listing: Listing, received: int = 0, *, by_offset: bool = False, probing: bool = False
) -> CrawlPosition:
    """Return the page that begins after `received` objects, by endpoint and offset."""
    limit = _probed(listing) if probing else listing.limit
    asked = PageRequest(listing.date_from, offset=received, limit=limit)
    return CrawlPosition(client.with_query(listing.endpoint, asked.as_query()), received, by_offset)


def resumed(listing: Listing, position: CrawlPosition) -> CrawlPosition:
    """Return the page a crawl goes on with, as the list is offered now.

    The page size may have changed since, and the endpoint's host: a Link to the old one is not
    followed any more.
    """
    if not position.url:
        return at(listing)
    if position.by_offset:
        offset = int(URL(position.url).query.get("offset", "0"))
        return at(listing, offset, by_offset=True, probing=_is_probe(listing, position))
    if not _same_origin(position.url, listing.endpoint):
        return at(listing, position.received, by_offset=True)
    return position


def behind(listing: Listing, position: CrawlPosition, *, size: int) -> CrawlPosition:
    """Return the page behind one that does not come and has about `size` objects."""
    return at(listing, position.received + size, by_offset=True)


def continuation(
    listing: Listing, position: CrawlPosition, paging: PagingInfo, *, visited: Container[str]
) -> Continuation:
    """Decide where the list goes on after a page."""
    if paging.is_repeated:
        return _after_a_repeat(listing, position, paging)
    if _is_probe(listing, position):
        text = "it ignores offset, but not limit: the quirk page_limit may have a larger number"
        return Continuation(None, text, is_certain=False)
    found = _where_it_leads(listing, position, paging, visited)
    if found.position is not None and paging.number >= MOST_PAGES:
        text = f"the list has more than {MOST_PAGES:,} pages, or no end"
        return Continuation(None, text, is_certain=False)
    return found


def _after_a_repeat(listing: Listing, position: CrawlPosition, paging: PagingInfo) -> Continuation:
    """Decide after a page that came before: `position.received` objects are all there was."""
    received, remark = position.received, "the same page came again"
    if paging.total is not None and received < paging.total:
        return Continuation(None, f"{remark}: it goes in circles", is_certain=False)
    if not position.by_offset:
        return Continuation(at(listing, received, by_offset=True), f"{remark}; went on by offset")
    is_only_page = received <= paging.count
    if is_only_page and paging.limit is not None and paging.count >= paging.limit:
        text = f"{remark}, and none may be longer: it ignores offset"
        return Continuation(None, text, is_certain=False)
    if is_only_page and paging.count == listing.limit and not _is_probe(listing, position):
        return Continuation(at(listing, received, by_offset=True, probing=True))
    return Continuation(None, f"{remark}: that is all there is")


def _is_probe(listing: Listing, position: CrawlPosition) -> bool:
    asked = URL(position.url).query.get("limit")
    return position.by_offset and asked == str(_probed(listing))


def _probed(listing: Listing) -> int:
    """Return the limit of a probe: no page size that somebody sets, or may have set before."""
    return 2 * listing.limit + 1


def _where_it_leads(
    listing: Listing, position: CrawlPosition, paging: PagingInfo, visited: Container[str]
) -> Continuation:
    received, link, remark = position.received + paging.count, None, ""
    if not position.by_offset:
        link, remark = _link(listing, position, paging.link, visited)
    left = _left_meanwhile(paging)
    if left and (link is None or "offset" in URL(link).query):
        # What stood behind the removed has moved up, and this page may begin behind some of it.
        again = max(position.received - left, 0)
        text = remark or "its list became shorter while it was read"
        return Continuation(at(listing, again, by_offset=True), text)
    if link is not None:
        return Continuation(CrawlPosition(link, received))
    is_circle = remark == _CIRCLE and paging.total is None
    if paging.count and (is_circle or _has_more(listing, received, paging)):
        return Continuation(at(listing, received, by_offset=True), remark)
    # X-Total-Count says 300, but the list ends after 200: nothing leads to the rest.
    is_certain = received >= paging.total if paging.total is not None else not remark
    return Continuation(None, remark, is_certain)


def _left_meanwhile(paging: PagingInfo) -> int:
    """Return how many objects left the list since the page before came, by its totals.

    A total that falls by a page each time counts what is left to read: nothing left the list.
    """
    if paging.total is None or paging.total_before is None:
        return 0
    left = paging.total_before - paging.total
    return left if 0 < left < paging.count else 0


def _link(
    listing: Listing, position: CrawlPosition, header: str | None, visited: Container[str]
) -> tuple[str | None, str]:
    """Return the URL a Link leads to, or else why it may not be followed."""
    if not (header or "").strip():
        return None, ""
    url = read_link(header, base_url=position.url)
    if url is None:
        return None, "" if _is_empty(header or "") else "its Link cannot be read"
    if not _is_usable(url) or not _same_origin(url, listing.endpoint):
        return None, "its Link leads to another host, which is not followed"
    if url in visited:
        return None, _CIRCLE
    return url, ""


def _is_empty(header: str) -> bool:
    """Whether a Link names no next page."""
    return "<>" in header or "next" not in header.lower()


def _is_usable(url: str) -> bool:
    return url.isascii() and url.isprintable() and len(url) <= LONGEST_URL


def _same_origin(url: str, endpoint: str) -> bool:
    try:
        return URL(url).origin() == URL(endpoint).origin()
    except ValueError:
        return False


def _has_more(listing: Listing, received: int, paging: PagingInfo) -> bool:
    """Whether objects are left: by X-Total-Count, or else if the page was full."""
    if paging.total is not None:
        return received < paging.total
    return paging.count >= min(listing.limit, paging.limit or listing.limit)
