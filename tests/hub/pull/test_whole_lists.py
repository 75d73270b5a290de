"""Lists that say neither where they go on nor where they end: read to an end that is proven."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hub.models import Location, PullState, Quarantined
from sandbox import SandboxPlatform
from sandbox.misbehaviour import say
from sandbox.recorder import Seen
from sandbox.server import Call, Responder
from tests.cast import CPA, Cast, a_location
from tests.hub.pull.workers import asked, read

Json = dict[str, Any]
Headers = dict[str, str]
Peer = Callable[[Seen], tuple[Sequence[Json], Headers]]
LIMIT = 3
TEN = [a_location(CPA, number) for number in range(1, 11)]


@pytest.fixture
def cpo(cast: Cast) -> SandboxPlatform:
    """P1, which is asked for pages of three."""
    platform = cast.join("P1", f"page_limit={LIMIT}")
    platform.forget()
    return platform


def number(seen: Seen, name: str, usual: int) -> int:
    """Return a parameter of the request."""
    return int(seen.query.get(name, usual))


def paged(answer: Peer) -> Responder:
    """Answer with the objects and headers that a peer has for a request."""

    def respond(call: Call) -> None:
        objects, headers = answer(call.seen)
        body = json.dumps({"status_code": 1000, "data": objects}).encode()
        say(200, body, headers=headers)(call)

    return respond


def unpaged(objects: Sequence[Json]) -> Responder:
    """Answer the whole list, whatever is asked for."""
    return paged(lambda _: (objects, {}))


def read_from(cpo: SandboxPlatform, responder: Responder) -> PullState:
    """Read the list of a peer that behaves so."""
    with cpo.answer("GET /sender/locations", responder):
        return read(full=True)


def stored() -> int:
    """Return how many Locations the hub has."""
    return Location.objects.count()


@pytest.mark.parametrize("length", [LIMIT, LIMIT + 1, len(TEN)])
def test_a_second_page_that_equals_the_first_proves_an_unpaged_list(
    cpo: SandboxPlatform, length: int
) -> None:
    """It is complete, read and counted once, also where it is just as long as a page."""
    done = read_from(cpo, unpaged(TEN[:length]))

    assert (done.last_error, done.phase, done.full_requested) == ("", "IDLE", False)
    assert (done.seen, done.stored, stored()) == (length, length, length)
    assert done.complete_since is not None
    assert "came again" in done.remark


def test_an_unpaged_list_is_counted_once_with_what_is_broken_in_it(cpo: SandboxPlatform) -> None:
    """A second sight of the same page adds nothing to any count."""
    broken = [{"id": str(each)} for each in range(4)]
    done = read_from(cpo, unpaged([*TEN, *broken]))

    assert (done.seen, done.stored, done.unchanged, done.quarantined) == (14, 10, 0, 4)
    assert Quarantined.objects.count() == 4


def test_an_unpaged_list_in_another_order_is_the_same(cpo: SandboxPlatform) -> None:
    """No order is promised: what is in the list proves it, not where it stands."""
    turns = iter((TEN, TEN[::-1], TEN))
    done = read_from(cpo, paged(lambda _: (next(turns), {})))

    assert (done.seen, done.last_error, len(asked(cpo))) == (10, "", 2)


def test_an_unpaged_list_that_is_made_anew_for_each_request_is_the_same(
    cpo: SandboxPlatform,
) -> None:
    """Its timestamps are those of the request; the names in it are what they were."""
    turns = iter(range(10))

    def fresh(_: Seen) -> tuple[Sequence[Json], Headers]:
        moment = f"2026-01-01T00:00:0{next(turns)}Z"
        return [{**each, "last_updated": moment} for each in TEN], {}

    done = read_from(cpo, paged(fresh))
    assert (done.seen, done.last_error) == (10, "")


def test_a_full_page_again_proves_nothing_where_the_limit_is_honoured(
    cpo: SandboxPlatform,
) -> None:
    """A peer that ignores the offset alone has more: a longer page shows that."""
    done = read_from(cpo, paged(lambda seen: (TEN[: number(seen, "limit", 3)], {})))

    assert "page_limit" in done.last_error
    assert done.complete_since is None


def test_a_largest_page_again_proves_nothing(cpo: SandboxPlatform) -> None:
    """X-Limit says that no page is longer: what is behind it cannot be reached."""
    done = read_from(cpo, paged(lambda _: (TEN[:LIMIT], {"X-Limit": str(LIMIT)})))

    assert "ignores offset" in done.last_error
    assert done.complete_since is None


def test_a_total_that_says_more_is_believed(cpo: SandboxPlatform) -> None:
    """The same page again while X-Total-Count promises others is no end."""
    done = read_from(cpo, paged(lambda _: (TEN[:LIMIT], {"X-Total-Count": "10"})))

    assert "circles" in done.last_error
    assert done.complete_since is None


def _page(offset: int) -> list[Json]:
    return TEN[offset : offset + LIMIT]


def wraps_round(seen: Seen) -> tuple[Sequence[Json], Headers]:
    """Begin again behind the end: page 1, 2, 3, 1, 2, …, by offset and by Link."""
    offset = number(seen, "offset", 0) % 9
    return _page(offset), {"Link": f'<?offset={number(seen, "offset", 0) + LIMIT}>; rel="next"'}


def leads_back(seen: Seen) -> tuple[Sequence[Json], Headers]:
    """Have the last page lead to the first; by offset the list ends as it should."""
    offset = number(seen, "offset", 0)
    link = f"<?offset={(offset + LIMIT) % 9}&limit={LIMIT}>" if offset < 9 else ""
    return _page(offset)[: max(0, 9 - offset)], {"Link": f'{link}; rel="next"' if link else ""}


def stays_at_the_end(seen: Seen) -> tuple[Sequence[Json], Headers]:
    """Answer an offset behind the end with the last page."""
    return _page(min(number(seen, "offset", 0), 6)), {}


@pytest.mark.parametrize("peer", [wraps_round, leads_back, stays_at_the_end])
def test_a_circle_that_is_closed_is_the_whole_list(cpo: SandboxPlatform, peer: Peer) -> None:
    """Where neither Link nor offset leads to anything that did not come, all has come."""
    done = read_from(cpo, paged(peer))

    assert (done.last_error, done.seen, stored()) == ("", 9, 9)
    assert done.complete_since is not None


def test_what_moves_up_in_a_list_that_becomes_shorter_is_read(cpo: SandboxPlatform) -> None:
    """Two of the first page leave while it is read: X-Total-Count says so, none is skipped."""
    turns = iter(range(20))

    def shrinking(seen: Seen) -> tuple[Sequence[Json], Headers]:
        left = TEN if next(turns) == 0 else TEN[2:]
        offset = number(seen, "offset", 0)
        return left[offset : offset + LIMIT], {"X-Total-Count": str(len(left))}

    done = read_from(cpo, paged(shrinking))

    assert (done.last_error, stored()) == ("", 10)
    assert "shorter" in done.remark


def test_a_total_that_counts_what_is_left_to_read_is_no_list_that_becomes_shorter(
    cpo: SandboxPlatform,
) -> None:
    """It falls by a page each time; the Links are followed, each page is asked for once."""

    def left(seen: Seen) -> tuple[Sequence[Json], Headers]:
        offset = number(seen, "offset", 0)
        link = f'<?offset={offset + LIMIT}>; rel="next"' if offset < 9 else ""
        return _page(offset), {"X-Total-Count": str(10 - offset), "Link": link}

    done = read_from(cpo, paged(left))

    assert (done.seen, stored(), len(asked(cpo))) == (10, 10, 4)
