"""Lists of many pages, as real platforms lead through them, or astray."""

import pytest

from hub.models import Location
from hub.pull import pagination
from sandbox import SandboxPlatform
from sandbox.misbehaviour import every, relinked, say
from tests.cast import CPA, Cast, a_location
from tests.hub.pull.workers import asked, offer, read

FIVE = [a_location(CPA, number, evses=1) for number in range(1, 6)]
NEXT = '; rel="next"'


@pytest.fixture
def cpo(cast: Cast) -> SandboxPlatform:
    """P1, whose pages have two of its five locations, and which pushes nothing."""
    return _offering(cast.join("P1", page_limit=2))


def _offering(platform: SandboxPlatform) -> SandboxPlatform:
    offer(platform, "locations", *FIVE)
    platform.forget()
    return platform


def _is_complete() -> bool:
    found = set(Location.objects.values_list("object_id", flat=True))
    return found == {each["id"] for each in FIVE}


@pytest.mark.conformance("TF-32")
def test_absolute_links_are_followed(cpo: SandboxPlatform) -> None:
    """Three pages, each asked for once."""
    done = read()

    assert (done.pages, done.seen, done.stored, done.total) == (3, 5, 5, 5)
    assert (done.remark, _is_complete(), len(asked(cpo))) == ("", True, 3)


@pytest.mark.conformance("TF-32")
def test_relative_links_with_cursors_are_followed(cast: Cast) -> None:
    """They are nobody's business but the platform's; it says no total."""
    cpo = _offering(cast.join("P1", page_limit=2, cursor_links=True))

    done = read()

    assert (done.pages, done.seen, done.remark, done.total) == (3, 5, "", None)
    assert [seen.query.get("cursor") for seen in asked(cpo)] == [None, "2", "4"]
    assert _is_complete()


@pytest.mark.conformance("TF-32")
@pytest.mark.parametrize(
    "link",
    [
        f"<https://elsewhere.invalid/locations?offset=2>{NEXT}",
        f"<{{first}}>{NEXT}",
        f"<VersionNumber.v_2_2_1/ModuleID.locations/?date_from=None&offset=1>{NEXT}",
        "",
        None,
        "nonsense next",
    ],
)
def test_a_link_that_leads_astray_does_not_end_the_list(
    cpo: SandboxPlatform, link: str | None
) -> None:
    """Another host, itself, a dead URL, empty, missing: the list goes on by offset."""
    first = f"{cpo.endpoint('locations', 'SENDER')}?limit=100"
    header = link.format(first=first) if link else link
    with cpo.answer("GET /sender/locations", relinked(header)):
        done = read()

    assert (done.seen, done.phase, done.last_error) == (5, "IDLE", "")
    assert bool(done.remark) == bool(link)
    assert _is_complete()


@pytest.mark.conformance("TF-32")
def test_a_list_without_end_ends(cpo: SandboxPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each Link is new, each page has other objects: at so many pages it is an error."""
    monkeypatch.setattr(pagination, "MOST_PAGES", 3)
    numbers = iter(range(100))

    def endless(call: object) -> None:
        number = next(numbers)
        body = say(
            200,
            f'{{"status_code":1000,"data":[{{"id":"X{number}"}}]}}'.encode(),
            headers={"Link": f"<?cursor={number}>{NEXT}"},
        )
        body(call)  # type: ignore[arg-type]

    with cpo.answer("GET /sender/locations", endless):
        done = read()

    assert "more than 3 pages" in done.last_error
    assert len(asked(cpo)) == 3


def test_an_offset_that_is_ignored_ends_the_list(cpo: SandboxPlatform) -> None:
    """The same page again and again: what it has is stored once."""
    page = cpo.own["locations"]["NL", "CPA", "L1"].encode()
    body = b'{"status_code":1000,"data":[%b]}' % page
    with cpo.answer("GET /sender/locations", say(200, body, headers={"X-Total-Count": "9"})):
        done = read()

    assert (done.stored, len(asked(cpo))) == (1, 2)
    assert "circles" in done.remark


def test_a_crawl_goes_on_where_it_was(cpo: SandboxPlatform) -> None:
    """The second page fails; the next attempt asks for that one, not for the first."""
    with cpo.answer("GET /sender/locations", every(2, say(500, b"oops"))):
        failed = read()
    cpo.forget()

    done = read()

    assert (failed.pages, failed.seen) == (1, 2)
    assert "HTTP 500: oops" in failed.last_error
    assert [seen.query["offset"] for seen in asked(cpo)] == ["2", "4"]
    assert (done.seen, done.failures, done.last_error, _is_complete()) == (5, 0, "", True)


def test_the_page_size_is_the_platforms_quirk(cast: Cast) -> None:
    """Where a platform fails on large pages, an operator asks for smaller ones."""
    cpo = cast.join("P1", "page_limit=3")
    _offering(cpo)

    read()

    assert [seen.query["limit"] for seen in asked(cpo)] == ["3", "3"]
