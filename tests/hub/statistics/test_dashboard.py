"""The dashboard and `manage.py status`: figures that are kept, with the way to their lists."""

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db.models.expressions import RawSQL
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.delivery import subscriptions
from hub.models import (
    Billed,
    Cdr,
    Change,
    DeadLetter,
    Evse,
    EvseChange,
    Failure,
    Subscription,
    Traffic,
)
from hub.statistics import dashboard, figure_retention
from tests.factories import AgreementFactory, EndpointFactory, PartyFactory, PlatformFactory
from tests.hub.statistics.followed import put

pytestmark = pytest.mark.django_db(transaction=True)
INDEX = reverse("admin:index")
QUERIES = 20


@pytest.fixture
def busy() -> None:
    """A hub with something to show in every figure."""
    cpo = PartyFactory.create(country_code="NL", party_id="CPA")
    emsp = PartyFactory.create(role="EMSP", country_code="DE", party_id="MSA")
    gone = PlatformFactory.create(name="gone", status="OFFLINE")
    PartyFactory.create(platform=gone, role="EMSP", country_code="FR", party_id="MSB")
    EndpointFactory.create(platform=emsp.platform)
    AgreementFactory.create(cpo=cpo, emsp=emsp)
    subscriptions.reconcile()
    put(1)
    put(2, ("OUTOFORDER",))
    now = timezone.now()
    # By the database's clock, as its age is shown: that of the test's transaction stands still.
    Change.objects.update(created_at=RawSQL("now() - interval '425 seconds'", ()))
    DeadLetter.objects.create(subscription=Subscription.objects.get(), method="PUT", reason="no")
    minute = now.replace(second=0, microsecond=0)
    for age, number in ((5, 20), (700, 30), (60 * 25, 1000)):
        at = minute - timedelta(minutes=age)
        shared = {"minute": at, "module": "tokens", "milliseconds": 1.0}
        Traffic.objects.create(**shared, direction="in", number=number, failed=2)
        Traffic.objects.create(**shared, direction="out", number=10, failed=0)
        hour = at.replace(minute=0)
        Failure.objects.create(hour=hour, party="DE-MSA", module="tokens", code=2004, number=4)
    Failure.objects.create(hour=minute, party="", module="tokens", code=0, number=1)
    for number, at in enumerate((now, now - timedelta(days=1, seconds=1))):
        shared = {"owner": "NL-CPA", "text": "{}", "last_updated": at, "posted_at": at}
        Cdr.objects.create(**shared, object_id=f"C{number}", object_key=f"C{number}", kwh=2.5)


@pytest.mark.usefixtures("busy")
def test_every_figure_says_how_the_hub_stands() -> None:
    """Of the last 24 hours, of today, of now."""
    assert dashboard.parties() == {"PLANNED": 0, "CONNECTED": 2, "OFFLINE": 1, "SUSPENDED": 0}
    messages = dashboard.messages()
    assert (messages.totals, messages.failed) == ({"tokens": 70}, 4)
    assert len(messages.by_module["tokens"]) == 144
    assert len([each for each in messages.by_module["tokens"] if each]) == 2
    assert [(f.party, f.code, f.number) for f in dashboard.failures()] == [
        ("DE-MSA", 2004, 8),
        ("", 0, 1),
    ]
    [one] = dashboard.receivers_behind()
    assert (one.receiver, one.module, one.changes) == ("DE-MSA", "locations", 2)
    assert 425 <= one.seconds < 480
    assert [(each.receiver, each.number) for each in dashboard.dead_letters().by_receiver] == [
        ("DE-MSA", 1)
    ]
    cdrs = dashboard.cdrs()
    assert (sum(cdrs.by_hour), cdrs.kwh) == (1, 2.5)
    evses = {status: number for status, number in dashboard.evses().items() if number}
    assert evses == {"AVAILABLE": 1, "CHARGING": 1, "OUTOFORDER": 1}


@pytest.mark.usefixtures("busy")
def test_the_dashboard_shows_them_and_each_leads_to_its_list(
    admin_client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    """With no more than twenty queries, and every link opens."""
    with django_assert_max_num_queries(QUERIES):
        answer = admin_client.get(INDEX)
    text = html.unescape(answer.content.decode())
    content = text[text.index("hub-panels") :]
    for words in ("70 in 24 hours", "DE-MSA: 2004 Unknown Token", "no answer", "7 min", "2.5 kWh"):
        assert words in content, words
    links = set(re.findall(r'href="(/admin/hub/[^"]+|/admin/parties/[^"]+)"', content))
    assert len(links) > 12
    for link in links:
        assert admin_client.get(link).status_code == 200, link


def test_an_empty_hub_has_a_dashboard(admin_client: Client) -> None:
    """On its first day there is nothing to draw, and it says so."""
    text = admin_client.get(INDEX).content.decode()
    assert "No message in the last 24 hours." in text
    assert "Nothing waits to be delivered." in text


@pytest.mark.usefixtures("busy")
def test_figures_are_for_who_may_see_their_lists(client: Client) -> None:
    """Somebody who may see CDRs alone sees their figure alone."""
    user = User.objects.create_user("viewer", password="long enough a word", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_cdr"))
    client.force_login(user)
    panels = client.get(INDEX).context["panels"]
    assert [panel.title for panel in panels] == ["CDRs today"]


@pytest.mark.usefixtures("busy")
def test_the_command_says_the_same() -> None:
    """As lines and as JSON."""
    out = StringIO()
    call_command("status", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert found["messages"]["total"] == {"tokens": 70}
    assert found["errors"][0] == {"party": "DE-MSA", "code": 2004, "number": 8}
    assert found["waiting"][0]["receiver"] == "DE-MSA"
    assert found["dead_letters"]["by_receiver"] == {"DE-MSA": 1}
    assert found["cdrs"]["today"] == 1
    assert found["evses"]["OUTOFORDER"] == 1
    out = StringIO()
    call_command("status", stdout=out)
    assert "AVAILABLE 1, CHARGING 1, OUTOFORDER 1" in out.getvalue()


def test_a_status_is_counted_as_it_is_now(admin_client: Client) -> None:
    """What a later text left out, or is not published any more, does not count."""
    put(1, ("AVAILABLE", "CHARGING"))
    put(1, ("RESERVED",), last_updated="2026-11-21T10:00:00Z")
    put(2, ("AVAILABLE",))
    put(2, ("AVAILABLE",), publish=False, last_updated="2026-11-21T10:00:00Z")
    assert {status for status, number in dashboard.evses().items() if number} == {"RESERVED"}


def test_cdrs_of_the_day_are_counted_as_they_come() -> None:
    """Several at once, in several hours; those of yesterday are not today's."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [midnight + timedelta(minutes=each) for each in (-1, 0, 59, 60)]
    Cdr.objects.bulk_create(
        Cdr(
            owner="NL-CPA",
            object_id=f"C{number}",
            object_key=f"C{number}",
            text="{}",
            last_updated=at,
            posted_at=at,
            kwh=2.5,
        )
        for number, at in enumerate(moments)
    )
    found = dashboard.cdrs()
    assert (found.by_hour[:3], sum(found.by_hour), found.kwh) == ([2, 1, 0], 3, 7.5)


def test_figures_do_not_stay_for_ever(settings: Any) -> None:
    """Longer than the log, and an EVSE's changes for a month and a day."""
    settings.HUB_FIGURES_DAYS = 90
    now = timezone.now()
    for days in (89, 91):
        at = now - timedelta(days=days)
        Traffic.objects.create(
            minute=at, module="x", direction="in", number=1, failed=0, milliseconds=1
        )
        Failure.objects.create(hour=at, party="", module="x", code=0, number=1)
        Billed.objects.create(hour=at, slot=0, number=1, kwh=1)
    put(1, ("AVAILABLE",))
    evse = Evse.objects.get()
    for hours in (31 * 24 - 1, 31 * 24 + 1):
        at = now - timedelta(hours=hours)
        EvseChange.objects.create(evse=evse, minute=at, at=at, before="", status="AVAILABLE")
    assert figure_retention.prune() == 4
    assert [kept.objects.count() for kept in (Traffic, Failure, Billed)] == [1, 1, 1]
    assert EvseChange.objects.count() == 2
