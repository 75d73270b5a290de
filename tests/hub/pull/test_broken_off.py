"""Lists that break off: nothing is skipped for good, nothing stands still, nobody is hammered."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from yarl import URL

from hub.models import Location, PullState
from sandbox import SandboxPlatform
from sandbox.misbehaviour import behave, every, first, huge, refuse, relinked, say
from sandbox.server import Call, Responder
from tests.cast import CPA, Cast, a_location
from tests.hub.pull.workers import asked, offer, read

FIVE = [a_location(CPA, number, evses=1) for number in range(1, 6)]
OOPS = say(500, b"oops")


@pytest.fixture
def cpo(cast: Cast) -> SandboxPlatform:
    """P1, asked for pages of two of its five locations."""
    return _offering(cast.join("P1", "page_limit=2"))


def _offering(platform: SandboxPlatform) -> SandboxPlatform:
    offer(platform, "locations", *FIVE)
    platform.forget()
    return platform


def _held() -> list[str]:
    return sorted(Location.objects.values_list("object_id", flat=True))


def _at(offsets: set[str], responder: Responder) -> Responder:
    """Answer so where the page begins there, the first one at 0."""

    def respond(call: Call) -> None:
        if call.seen.query.get("offset", "0") in offsets:
            responder(call)
        else:
            behave()(call)

    return respond


def test_a_failure_of_theirs_is_no_reason_to_leave_the_links(cast: Cast) -> None:
    """3000 in HTTP 200 passes: the same page is asked for again, by its cursor."""
    cpo = _offering(cast.join("P1", page_limit=2, cursor_links=True))
    with cpo.answer("GET /sender/locations", every(2, refuse(3000))):
        failed = read()
    cpo.forget()
    done = read()

    assert (failed.by_offset, failed.remark) == (False, "")
    assert [seen.query.get("cursor") for seen in asked(cpo)] == ["2", "4"]
    assert (done.seen, done.last_error) == (5, "")


def test_an_uncertain_end_is_not_complete(cpo: SandboxPlatform) -> None:
    """What comes next asks from where the last complete one began, and says why."""
    complete = read(full=True)
    with cpo.answer("GET /sender/locations", relinked(None, X_Total_Count="9")):
        changes = read()
        full = read(full=True)

    for done in (changes, full):
        assert done.phase == "IDLE"
        assert "not complete: its X-Total-Count" in done.last_error
        assert (done.complete_since, done.full_since) == (
            complete.complete_since,
            complete.full_since,
        )
        assert done.due_at > timezone.now() + timedelta(minutes=30)
    assert full.full_requested
    assert read().last_error == ""


def test_what_is_behind_a_page_that_never_comes_is_read(cpo: SandboxPlatform) -> None:
    """After some attempts it is passed over; the reading is not complete then."""
    with cpo.answer("GET /sender/locations", _at({"2"}, OOPS)):
        for _ in range(5):
            assert read().next_url
        done = read()

    assert _held() == ["L1", "L2", "L5"]
    assert (done.phase, done.failures, done.complete_since) == ("IDLE", 0, None)
    assert "not complete: a page that does not come was passed over" in done.last_error
    assert "oops" in done.last_error
    assert read().last_error == ""
    assert len(_held()) == 5


def test_a_list_that_fails_on_and_on_ends_and_is_left_alone(
    cpo: SandboxPlatform, settings: LazySettings
) -> None:
    """Its good pages are read once a round, not every few minutes."""
    settings.HUB_PULL_HOURS = 5
    with cpo.answer("GET /sender/locations", _at({"2", "4", "6", "8"}, OOPS)):
        for _ in range(8):
            done = read()

    assert (done.phase, done.full_requested, done.failures) == ("IDLE", True, 8)
    assert [seen.query.get("offset") for seen in asked(cpo)] == [None, *"22222468"]
    assert done.due_at > timezone.now() + timedelta(hours=4)
    cpo.forget()
    assert (read().seen, len(asked(cpo))) == (5, 3)


def test_a_smaller_page_is_asked_for_where_a_larger_one_was_too_large(
    cpo: SandboxPlatform,
) -> None:
    """The quirk that the error advises works on the page that failed."""
    with cpo.answer("GET /sender/locations", _at({"2"}, first(2, huge(30_000_000)))):
        failed = read()
    platform = failed.party.platform
    platform.quirks = platform.quirks.with_settings(["page_limit=1"])
    platform.save(update_fields=["quirks"])
    cpo.forget()

    assert "page_limit" in failed.last_error
    assert read().seen == 5
    assert [(seen.query["offset"], seen.query["limit"]) for seen in asked(cpo)] == [
        ("2", "1"),
        ("3", "1"),
        ("4", "1"),
    ]


def test_a_link_to_where_the_platform_was_is_not_followed(cast: Cast) -> None:
    """It moved in mid-crawl: the token of its new place does not go to the old one."""
    cpo = _offering(cast.join("P1", page_limit=2))
    with cpo.answer("GET /sender/locations", every(2, OOPS)):
        left = read()
    old = URL(left.next_url).with_host("old.invalid")
    PullState.objects.filter(pk=left.pk).update(next_url=str(old))
    cpo.forget()

    done = read()

    assert [seen.query["offset"] for seen in asked(cpo)] == ["2", "4"]
    assert (done.seen, done.failures, done.last_error) == (5, 0, "")
