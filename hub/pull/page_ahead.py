"""The page ahead: the next page of a list comes, and is checked, while the last one is stored.

docs/architecture.md#pull. Never more than one: what a peer makes the hub hold is bounded, and if
the worker dies, one page is asked for again.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import blake2b
from types import TracebackType
from typing import Self

from django.conf import settings

from database import sql
from hub.pull import fetch, page_objects, pagination
from hub.pull.fetch import PulledPage
from hub.pull.leases import CrawlLease, CrawlLeaseLost
from hub.pull.pace import Pace
from hub.pull.page_objects import PageObject
from hub.pull.pagination import CrawlPosition
from hub.pull.sources import NotOffered, Source, find


@dataclass(frozen=True, slots=True)
class CheckedPage:
    """A page that came, what is in it, and how many seconds its answer took."""

    page: PulledPage
    objects: list[PageObject]
    seconds: float

    @property
    def names(self) -> str:
        """A digest of what the objects are called, whatever their order and content."""
        return self.digest(by_name=True)

    def digest(self, *, by_name: bool = False) -> str:
        """Return a digest of the objects, or of what they are called, in whatever order."""
        content = (
            one.identity.whole.encode() if by_name and one.identity is not None else text
            for one, text in zip(self.objects, self.page.items, strict=True)
        )
        return blake2b(b"\0".join(sorted(content)), digest_size=16).hexdigest()


class PageAhead:
    """The one page of a crawl that may be under way; none is asked for any more after `end`.

    `end` is a moment of `time.monotonic`.
    """

    def __init__(self, lease: CrawlLease, *, end: float) -> None:
        self._lease = lease
        self._end = end
        self.pace = Pace(settings.HUB_PULL_PAUSE)
        self._seconds = 0.0
        self._pool = ThreadPoolExecutor(1, "pull")
        self._position: CrawlPosition | None = None
        self._coming: Future[CheckedPage | None] | None = None

    def __enter__(self) -> Self:
        """Begin with no page."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for what is under way: its peer has been asked."""
        self._pool.shutdown()

    @property
    def is_coming(self) -> bool:
        """Whether a page was asked for and not taken."""
        return self._coming is not None

    def ask(self, position: CrawlPosition) -> None:
        """Ask for a page after a pause, unless the crawl's time is up."""
        if time.monotonic() < self._end:
            self._position = position
            pause = self.pace.after(self._seconds)
            self._coming = self._pool.submit(_after_pause, self._lease, position, pause)

    def wait(self) -> None:
        """Wait until nothing is under way, successful or not."""
        if self._coming is not None:
            wait([self._coming])

    def take(self, source: Source, position: CrawlPosition) -> CheckedPage:
        """Return the page at a position, the one that came if it is that; raises `PullFailed`."""
        asked, coming = self._position, self._coming
        self._position = self._coming = None
        found = coming.result() if coming is not None and asked == position else None
        found = found or _checked(source, position)
        self._seconds = found.seconds
        return found


def _after_pause(lease: CrawlLease, position: CrawlPosition, pause: float) -> CheckedPage | None:
    """Ask for a page as the list is offered then; None if it is not, or elsewhere."""
    time.sleep(pause)
    try:
        state = lease.state()
        source = find(state)
        is_there = pagination.resumed(source.listing(state), position) == position
        return _checked(source, position) if is_there else None
    except (NotOffered, CrawlLeaseLost):
        return None
    finally:
        sql.release()


def _checked(source: Source, position: CrawlPosition) -> CheckedPage:
    begun = time.monotonic()
    page = fetch.ask(source, position)
    seconds = time.monotonic() - begun
    objects = page_objects.checked(
        source, page.items, page.correlation_id, before=position.received
    )
    return CheckedPage(page, objects, seconds)
