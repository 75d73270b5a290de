"""Who is read when, by whom, and what of it survives a worker's end."""

import threading
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from hub import broker
from hub.models import Location, PullState
from hub.pull import crawl as pull_crawl
from hub.pull import leases, schedule
from hub.pull.fetch import FailureKind, PullFailed
from hub.tasks import pull as pull_tasks
from parties import connection_health
from parties.connection_status import ConnectionStatus
from parties.models import Platform
from sandbox import SandboxPlatform
from sandbox.misbehaviour import every, say
from tests.cast import CPA, CPB, HUB, MSA, Cast, a_location, route
from tests.hub.pull.workers import asked, offer, read, read_all, state
from tests.hub.second_hub import HB2, XXX, second_hub


@pytest.fixture
def cpo(cast: Cast) -> SandboxPlatform:
    """P1 with five locations in pages of two."""
    platform = cast.join("P1", page_limit=2)
    offer(platform, "locations", *(a_location(CPA, number, evses=1) for number in range(1, 6)))
    return platform


@pytest.mark.conformance("TF-33")
def test_readings_are_hours_apart_and_never_in_step(
    cpo: SandboxPlatform, settings: LazySettings
) -> None:
    """HUB_PULL_HOURS between two, a tenth more or less by chance."""
    settings.HUB_PULL_HOURS = 5
    waits = []
    for _ in range(4):
        done = read()
        assert done.last_success_at is not None
        waits.append((done.due_at - done.last_success_at).total_seconds() / 3600)

    assert all(4.4 < wait < 5.6 for wait in waits)
    assert len(set(waits)) == 4
    assert read_all() > 0
    assert read_all() == 0


def test_a_full_crawl_comes_round_again(cpo: SandboxPlatform, settings: LazySettings) -> None:
    """HUB_PULL_FULL_DAYS after the last one began, or when an operator or a handshake asks."""
    read(full=True)
    cpo.forget()
    long_ago = timezone.now() - timedelta(days=settings.HUB_PULL_FULL_DAYS + 1)
    PullState.objects.update(full_since=long_ago)
    read()
    schedule.start_afresh(state().party.platform_id)
    read()

    first, *_, last = asked(cpo)
    assert "date_from" not in first.query
    assert "date_from" not in last.query


@pytest.mark.conformance("TF-98", "HCI-11")
def test_who_was_cut_off_is_read_as_soon_as_it_is_back(cpo: SandboxPlatform) -> None:
    """Although the next reading is hours away: from where the last complete one began."""
    read_all()
    platform = Platform.objects.get()
    for _ in range(2):
        connection_health.failed(platform.pk, "nobody there")
        Platform.objects.update(next_attempt_at=None)
    assert Platform.objects.get().status == ConnectionStatus.OFFLINE
    changed = a_location(CPA, 1, last_updated="2027-05-01T00:00:00Z", name="changed meanwhile")
    offer(cpo, "locations", changed)
    assert read_all() == 0
    connection_health.called(platform.pk)
    cpo.forget()
    known = state().started_at
    assert known is not None

    read_all()

    [seen, _] = asked(cpo)
    assert seen.query["date_from"] < known.isoformat()
    assert Location.objects.get(object_id="L1").name == "changed meanwhile"
    assert read_all() == 0


def test_one_list_of_a_platform_at_a_time(cpo: SandboxPlatform) -> None:
    """Whoever claims another one of it has to wait; a dead worker's claim lapses."""
    schedule.reconcile()
    mine = leases.claim(state("locations", CPA).pk)
    assert mine is not None

    assert leases.claim(state("locations", CPA).pk) is None
    assert leases.claim(state("tariffs", CPB).pk) is None
    assert schedule.due() == []
    PullState.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    other = leases.claim(state("locations", CPA).pk)

    assert other is not None
    with pytest.raises(leases.CrawlLeaseLost):
        mine.state()
    other.release()


def test_what_a_worker_meets_that_lost_its_claim_changes_nothing(cpo: SandboxPlatform) -> None:
    """The 429 is for the worker that reads the list now; nobody else waits for it."""
    schedule.reconcile()
    mine = leases.claim(state("locations", CPA).pk)
    assert mine is not None
    before = mine.state()
    PullState.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert leases.claim(state("locations", CPA).pk) is not None
    due = list(PullState.objects.order_by("pk").values_list("due_at", flat=True))

    mine.failed(before, PullFailed("HTTP 429", FailureKind.THROTTLED, retry_after=3600))

    assert list(PullState.objects.order_by("pk").values_list("due_at", flat=True)) == due
    assert Platform.objects.get().next_attempt_at is None


def test_so_many_platforms_at_once(
    cpo: SandboxPlatform, cast: Cast, settings: LazySettings
) -> None:
    """HUB_PULL_PLATFORMS of them; an operator is not counted."""
    settings.HUB_PULL_PLATFORMS = 1
    assert cast["P4"]
    schedule.reconcile()
    [first] = schedule.due()
    lease = pull_crawl.claim(first)
    assert lease is not None
    other = PullState.objects.exclude(party__platform=lease.state().party.platform_id).first()
    assert other is not None

    assert schedule.due() == []
    assert pull_crawl.claim(other.pk) is None
    assert leases.claim(other.pk) is not None


def test_a_task_that_comes_late_reads_nothing_that_is_not_due(cpo: SandboxPlatform) -> None:
    """Several were queued while all workers were busy: the first one reads, the others go home."""
    schedule.reconcile()
    pk = state().pk
    done = read()

    assert done.due_at > timezone.now()
    assert pull_crawl.claim(pk) is None
    schedule.request([pk])
    Platform.objects.update(next_attempt_at=timezone.now() + timedelta(minutes=15))
    assert pull_crawl.claim(pk) is None
    Platform.objects.update(next_attempt_at=None)
    lease = pull_crawl.claim(pk)
    assert lease is not None
    lease.release()


def test_what_is_ordered_during_the_last_page_is_read_next(cpo: SandboxPlatform) -> None:
    """The end of the crawl under way does not put it off."""

    def order(seen: object, _: object) -> None:
        if "offset=4" in str(seen):
            schedule.request([state().pk], full=True)

    cpo.watchers.append(order)
    left = read()
    cpo.watchers.clear()

    assert (left.full_requested, left.phase) == (True, "IDLE")
    assert left.due_at <= timezone.now()


def test_a_killed_workers_crawl_is_taken_over(cpo: SandboxPlatform) -> None:
    """After its lease: on the page it was at, with the counts it had."""
    schedule.reconcile()
    lease = leases.claim(state().pk)
    assert lease is not None
    pull_crawl.crawl(lease, seconds=0)
    left = state()
    PullState.objects.filter(pk=left.pk).update(
        lease=lease.token, lease_until=timezone.now() + timedelta(seconds=-1)
    )
    cpo.forget()

    read_all()

    done = state()
    assert (left.phase, left.seen, left.pages) == ("FULL", 2, 1)
    assert [seen.query["offset"] for seen in asked(cpo) if route(seen) == (CPA, HUB)] == ["2", "4"]
    assert (done.phase, done.seen, done.pages, Location.objects.count()) == ("IDLE", 5, 3, 5)


def test_workers_that_come_together_ask_once(cpo: SandboxPlatform) -> None:
    """Ten claims of one list at the same moment: one holds."""
    schedule.reconcile()
    cpo.forget()
    pk, claimed = state().pk, []
    start = threading.Barrier(6)

    def work() -> None:
        start.wait()
        claimed.append(leases.claim(pk))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(lease is not None for lease in claimed) == 1


def test_a_list_that_is_withdrawn_or_moved(cpo: SandboxPlatform) -> None:
    """The endpoint is looked up for each page; without one nothing is asked for."""
    read_all()
    cpo.move("locations", "SENDER", "/elsewhere/sender/locations")
    cpo.rotate()
    cpo.forget()
    read()
    assert {seen.route for seen in asked(cpo)} == {"/elsewhere/sender/locations"}
    cpo.move("locations", "SENDER", None)
    cpo.rotate()
    PullState.objects.update(due_at=timezone.now() - timedelta(hours=1))
    cpo.forget()

    read_all()

    assert asked(cpo) == []


def test_a_platform_suspended_in_mid_crawl_is_left_alone(cpo: SandboxPlatform) -> None:
    """The next page is not asked for any more."""

    def suspend(seen: object, _: object) -> None:
        if "/sender/locations" in str(seen):
            Platform.objects.get().move_to(ConnectionStatus.SUSPENDED)

    schedule.reconcile()
    cpo.forget()
    cpo.watchers.append(suspend)

    done = read()

    assert len(asked(cpo)) == 1
    assert "SUSPENDED" in done.last_error


def test_another_hub_is_asked_once_for_all_its_parties(cast: Cast) -> None:
    """Its own party is asked; strangers come with it, our own parties do not."""
    with second_hub(cast) as hub:
        own, foreign = a_location(CPA, 7), a_location(XXX, 1)
        offer(hub, "locations", foreign, own)
        read_all()

        assert {route(seen) for seen in asked(hub)} == {(HB2, HUB)}
        assert list(Location.objects.values_list("owner", flat=True)) == [str(XXX)]
        crawl = cast["P2"].hub.list("locations", to=HUB, sender=MSA)
        assert [each["id"] for each in crawl.data] == ["L1"]


def test_a_platform_that_fails_costs_the_others_nothing(cpo: SandboxPlatform, cast: Cast) -> None:
    """Its lists wait for their time; those of others are read."""
    mix = cast["P4"]
    offer(mix, "locations", a_location(mix.party, 1))
    with cpo.answer("GET", every(1, say(500, b""))):
        read_all()

    assert list(Location.objects.values_list("owner", flat=True)) == ["BE-MIX"]
    assert {row.failures for row in PullState.objects.filter(party__key="NL-CPA")} <= {0, 1}


def test_the_tasks_read_what_is_due(cpo: SandboxPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    """start_pulls starts one task a platform; each goes on to the platform's next list."""
    started: list[int] = []
    monkeypatch.setattr(pull_tasks.pull, "delay", started.append)
    broker.connection().flushdb()
    pull_tasks.start_pulls()
    pull_tasks.start_pulls()
    assert len(started) == 1

    while started:
        pull_tasks.pull(started.pop())

    assert Location.objects.count() == 5
    assert not PullState.objects.filter(last_success_at=None, module="locations").exists()
