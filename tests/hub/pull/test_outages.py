"""What an owner could not push, because one side was not there, is read soon and not in hours."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from hub.gateway import circuit_breaker
from hub.gateway.directory import PartyDirectory
from hub.models import Location, Presence, PullState
from hub.pull import crawl, leases, outages, schedule
from ocpi.errors import ServerError
from ocpi.transport.authorization import header
from ocpi.types import InterfaceRole, ModuleID
from operators.token_bucket import buckets
from parties import connection_health
from parties.connection_status import ConnectionStatus
from parties.models import Platform
from sandbox import SandboxPlatform
from settings import asgi
from settings.bodies import Body, MemoryBudget, Share
from tests.cast import CPA, HUB, Cast, a_location, push
from tests.hub.pull.workers import asked, offer, read_all, state

Away = Callable[[int], None]


@pytest.fixture
def cpo(cast: Cast) -> Iterator[SandboxPlatform]:
    """P1 with a location, all its lists read just now."""
    platform = cast.join("P1")
    offer(platform, "locations", a_location(CPA, 1))
    read_all()
    platform.forget()
    yield platform
    outages._failed.clear()


def changed(platform: SandboxPlatform) -> None:
    """Let the platform have changed something meanwhile."""
    value = a_location(CPA, 1, last_updated="2027-05-01T00:00:00Z", name="changed meanwhile")
    offer(platform, "locations", value)


def unreachable(platform_id: int) -> None:
    """Miss it once, which makes nobody OFFLINE; then it calls."""
    connection_health.failed(platform_id, "nobody there")
    connection_health.called(platform_id)


def unreachable_and_answers(platform_id: int) -> None:
    """Miss it once; then it answers."""
    connection_health.failed(platform_id, "nobody there")
    connection_health.answered(platform_id)


def unreachable_and_fails(platform_id: int) -> None:
    """Miss it once; then it answers that it cannot."""
    connection_health.failed(platform_id, "nobody there")
    Platform.objects.update(next_attempt_at=None)
    connection_health.failed(platform_id, "HTTP 500", answered=True)
    Platform.objects.update(next_attempt_at=None)


def unreachable_and_throttles(platform_id: int) -> None:
    """Miss it once; then it answers that it has had enough."""
    connection_health.failed(platform_id, "nobody there")
    connection_health.throttled(platform_id, None)
    Platform.objects.update(next_attempt_at=None)


def silent(platform_id: int) -> None:
    """Hear nothing of it for longer than pings are apart; then it calls."""
    long_ago = timezone.now() - timedelta(minutes=11)
    Platform.objects.update(last_seen_at=long_ago)
    connection_health.called(platform_id)


def hanging(platform_id: int) -> None:
    """Let its circuit open; then it answers."""
    Platform.objects.update(unanswered=circuit_breaker.FAILURES_TO_OPEN)
    directory = PartyDirectory(HUB, "DE-MSA")
    [found] = directory.destinations(CPA, ModuleID.LOCATIONS, InterfaceRole.SENDER)
    assert found.platform_id == platform_id
    circuit_breaker.note_answer(found)


@pytest.mark.security("S-30")
@pytest.mark.parametrize(
    "away",
    [
        *(unreachable, unreachable_and_answers, unreachable_and_fails, unreachable_and_throttles),
        *(silent, hanging),
    ],
)
def test_who_was_away_for_a_moment_is_read_again(cpo: SandboxPlatform, away: Away) -> None:
    """Whatever showed it, and although it never was OFFLINE."""
    platform = Platform.objects.get()
    changed(cpo)
    assert read_all() == 0

    away(platform.pk)

    assert Platform.objects.get().status == ConnectionStatus.CONNECTED
    read_all()
    assert Location.objects.get().name == "changed meanwhile"
    assert "date_from" in asked(cpo)[0].query


@pytest.mark.security("S-30")
def test_coming_and_going_is_no_reason_to_read_all_the_time(cpo: SandboxPlatform) -> None:
    """Once in READ_AGAIN_APART, and not for calls and answers of who was there all along."""
    platform = Platform.objects.get()
    for _ in range(3):
        connection_health.called(platform.pk)
        connection_health.answered(platform.pk)
    connection_health.failed(platform.pk, "HTTP 500", answered=True)
    connection_health.called(platform.pk)
    assert read_all() == 0

    unreachable(platform.pk)
    assert read_all() > 0
    for _ in range(3):
        unreachable(platform.pk)
    assert read_all() == 0
    due = state().due_at
    assert due <= timezone.now() + schedule.READ_AGAIN_APART
    PullState.objects.update(due_at=timezone.now(), read_again_at=timezone.now())
    assert read_all() > 0


@pytest.mark.security("S-30")
def test_a_crawl_that_was_under_way_is_followed_by_another(cpo: SandboxPlatform) -> None:
    """It may have passed by what changed meanwhile."""
    schedule.request([state().pk])
    lease = leases.claim(state().pk)
    assert lease is not None
    lease.begin(full=False, date_from=None)
    unreachable(Platform.objects.get().pk)
    crawl.crawl(lease)
    assert state().phase == PullState.Phase.IDLE
    assert state().due_at <= timezone.now() + timedelta(seconds=1)


@contextmanager
def _without(table: str) -> Iterator[None]:
    """Let the hub fail on whatever needs this table."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO gone")
    try:
        yield
    finally:  # else the tests that follow would fail too
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE gone RENAME TO {table}")


@pytest.mark.security("S-30")
@pytest.mark.parametrize("table", ["hub_location", "parties_credentials"])
def test_whom_the_hub_failed_is_read_again(cpo: SandboxPlatform, table: str) -> None:
    """A message that was answered 3000 is made up for once the hub works, whoever sent it."""
    with _without(table):
        assert push(cpo, a_location(CPA, 2)).status_code == 3000
    changed(cpo)
    assert read_all() == 0

    assert cpo.hub.get("locations", "RECEIVER", "NL/CPA/L1", to=HUB, sender=CPA).succeeded

    assert state().due_at <= timezone.now() + schedule.READ_AGAIN_SPREAD
    PullState.objects.update(due_at=timezone.now())
    read_all()
    assert Location.objects.get(object_id="L1").name == "changed meanwhile"


@pytest.mark.security("S-30")
def test_whom_the_hub_had_no_room_for_is_read_again(
    cpo: SandboxPlatform, settings: LazySettings
) -> None:
    """A message that was answered 429 was missed as well; one of a stranger is nobody's."""
    settings.HUB_REQUESTS_PER_MINUTE = settings.HUB_STRANGER_REQUESTS_PER_MINUTE = 1
    due = set(PullState.objects.values_list("due_at", flat=True))
    stranger = Client()
    assert [stranger.put("/ocpi/versions").status_code for _ in range(2)] == [401, 429]
    outages.tick()
    assert set(PullState.objects.values_list("due_at", flat=True)) == due

    buckets.forget()
    assert [push(cpo, a_location(CPA, 2)).http_status for _ in range(2)] == [201, 429]
    outages.tick()
    assert read_all() > 0


class _Full(Share):
    """A share of a room in which there is none."""

    async def take(self, size: int) -> None:
        """Wait in vain."""
        raise TimeoutError


@pytest.mark.security("S-30", "S-08")
@pytest.mark.parametrize("method, is_missed", [("PUT", True), ("GET", False)])
def test_who_found_no_room_for_a_long_body_is_read_again(
    cpo: SandboxPlatform, settings: LazySettings, method: str, *, is_missed: bool
) -> None:
    """The web server's refusal comes before any view, and is the hub's own failure as well."""
    due = set(PullState.objects.values_list("due_at", flat=True))
    settings.HUB_REQUEST_TIMEOUT = 30
    headers = {"authorization": header(cpo.hub.token)}
    scope = {"path": "/ocpi/2.2.1/receiver/locations/NL/CPA/L1", "method": method}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 70_000, "more_body": True}

    with pytest.raises(ServerError, match="as many long bodies"):
        asyncio.run(asgi._content(scope, Body(receive, headers), headers, _Full(MemoryBudget())))
    outages.tick()

    assert (set(PullState.objects.values_list("due_at", flat=True)) != due) is is_missed


@pytest.mark.security("S-30")
def test_what_a_receiver_or_the_sender_did_wrong_is_no_outage(cpo: SandboxPlatform) -> None:
    """Refusals of the hub for good reasons make nobody be read again."""
    assert push(cpo, a_location(CPA, 9, coordinates=None)).status_code == 2001
    cpo.hub.get("locations", "RECEIVER", "NL/CPA/L7", to=HUB, sender=CPA)
    outages.tick()
    assert read_all() == 0


@pytest.mark.security("S-30")
def test_after_the_hub_was_down_all_owners_are_read_again(cpo: SandboxPlatform) -> None:
    """Whoever ticks first after a gap sees to it, once; the lists are spread over some minutes."""
    before: Any = timezone.now() - timedelta(seconds=outages.GAP_SECONDS + 60)
    outages.tick()
    outages.tick()
    assert read_all() == 0
    Presence.objects.update(at=before)

    outages.tick()
    first = set(PullState.objects.values_list("due_at", flat=True))
    outages.tick()

    assert set(PullState.objects.values_list("due_at", flat=True)) == first
    assert len(set(PullState.objects.values_list("read_again_at", flat=True))) > 1
    assert max(first) <= timezone.now() + schedule.READ_AGAIN_SPREAD
    assert Presence.objects.get().at > before


@pytest.mark.security("S-30")
def test_whom_the_hub_failed_is_read_even_if_it_never_calls_again(
    cpo: SandboxPlatform, settings: LazySettings
) -> None:
    """The next tick sees to it, or the first one at which the hub can."""
    settings.HUB_MESSAGE_LOG_DAYS = 0
    with _without("hub_location"):
        assert push(cpo, a_location(CPA, 2)).status_code == 3000
    assert read_all() == 0
    with _without("hub_pullstate"), pytest.raises(DatabaseError):
        outages.tick()
    outages.tick()
    assert read_all() > 0
