"""The operators' console over the hub: every page opens, nothing there breaks an invariant."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.platform_actions import ACTIONS
from hub import store
from hub.delivery import subscriptions
from hub.models import Change, DeadLetter, Evse, Location, Snapshot, Subscription
from hub.tasks import delivery as delivery_tasks
from ocpi.versions import known_modules
from parties.connection_status import ConnectionStatus
from parties.models import Agreement, Credentials, Direction, Party, Platform
from tests.cast import CPA, a_location
from tests.factories import (
    AgreementFactory,
    CredentialsFactory,
    EndpointFactory,
    PartyFactory,
    PlatformFactory,
)
from tests.hub.store.write_requests import location_write

pytestmark = pytest.mark.django_db
MODELS = (
    "parties_platform",
    "parties_party",
    "parties_agreement",
    "hub_location",
    "hub_subscription",
    "hub_deadletter",
)
QUERIES = 20


def put(number: int, **changes: Any) -> Location:
    """Store a Location of NL-CPA as a PUT does."""
    body = a_location(CPA, number, **changes)
    store.apply(location_write("PUT", body["id"], body=body))
    return Location.objects.get(object_id=body["id"])


@pytest.fixture
def emsp() -> Platform:
    """A CPO and an eMSP that agreed: a subscription that lags, a snapshot, a dead letter."""
    platforms = [PlatformFactory.create(name=name) for name in ("charger", "driver")]
    cpo = PartyFactory.create(platform=platforms[0], country_code="NL", party_id="CPA")
    party = PartyFactory.create(
        platform=platforms[1], role="EMSP", country_code="DE", party_id="MSA"
    )
    for platform in platforms:
        CredentialsFactory.create(platform=platform)
        CredentialsFactory.create(platform=platform, outbound=True)
    EndpointFactory.create(platform=platforms[1])
    AgreementFactory.create(cpo=cpo, emsp=party)
    subscriptions.reconcile()
    put(1)
    Change.objects.update(created_at=timezone.now() - timedelta(minutes=7, seconds=5))
    subscription = Subscription.objects.get()
    DeadLetter.objects.create(
        subscription=subscription, method="PUT", path="NL/CPA/L1", reason="no"
    )
    return Platform.objects.get(name="driver")


def list_of(model: str) -> str:
    """Return the address of a list."""
    return reverse(f"admin:{model}_changelist")


def page_of(model: str, pk: int) -> str:
    """Return the address of one row's page."""
    return reverse(f"admin:{model}_change", args=[pk])


def all_pages() -> list[str]:
    """Return every list and the page of every row."""
    tables = (Platform, Party, Agreement, Location, Subscription, DeadLetter)
    rows = [
        page_of(table._meta.label_lower.replace(".", "_"), row.pk)
        for table in tables
        for row in table.objects.all()
    ]
    return [reverse("admin:index"), *(list_of(model) for model in MODELS), *rows]


def text(client: Client, url: str) -> str:
    """Open a page that must open and return its text."""
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def test_every_page_opens_and_asks_no_outside_host(admin_client: Client, emsp: Platform) -> None:
    """Every list and detail page answers 200 and loads nothing from anywhere else."""
    for url in all_pages():
        html = text(admin_client, url)
        assert not re.findall(
            r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["'](?:https?:)?//""", html
        ), url


def test_no_page_shows_a_token_or_a_hash(admin_client: Client, emsp: Platform) -> None:
    """Credentials are shown by their last four characters alone."""
    secrets = [
        secret for row in Credentials.objects.all() for secret in (row.digest, row.sealed) if secret
    ]
    secrets += [row.token for row in Credentials.objects.filter(direction=Direction.OUT)]
    assert len(secrets) == 6
    for url in all_pages():
        html = text(admin_client, url)
        assert not [secret for secret in secrets if secret in html], url
    last_four = Credentials.objects.filter(platform=emsp).values_list("last_four", flat=True)[0]
    assert f"…{last_four}" in text(admin_client, page_of("parties_platform", emsp.pk))


@pytest.mark.parametrize(
    "model", ["parties_party", "hub_location", "hub_subscription", "hub_deadletter"]
)
def test_read_only_pages_refuse_to_add_change_and_delete(
    admin_client: Client, emsp: Platform, model: str
) -> None:
    """What happens by itself is not changed by hand, not even by a superuser."""
    tables = {
        "parties_party": Party,
        "hub_location": Location,
        "hub_subscription": Subscription,
        "hub_deadletter": DeadLetter,
    }
    row = tables[model]._default_manager.all()[0]
    assert admin_client.post(reverse(f"admin:{model}_add")).status_code == 403
    assert admin_client.post(page_of(model, row.pk), {"name": "x"}).status_code == 403
    assert (
        admin_client.post(
            reverse(f"admin:{model}_delete", args=[row.pk]), {"post": "yes"}
        ).status_code
        == 403
    )


def staff(client: Client, *permissions: str) -> Client:
    """Log in somebody of the staff with these permissions only."""
    user = User.objects.create_user("viewer", password="long enough a word", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def test_staff_without_permission_sees_nothing(client: Client, emsp: Platform) -> None:
    """Without a permission no page opens and no menu entry leads there."""
    staff(client)
    for url in all_pages()[1:]:
        assert client.get(url).status_code == 403, url
    index = text(client, reverse("admin:index"))
    assert not [model for model in MODELS if list_of(model) in index]


def test_a_viewer_sees_platforms_and_may_do_nothing_to_them(client: Client, emsp: Platform) -> None:
    """Seeing is one permission, acting another; the menu shows what may be seen."""
    staff(client, "view_platform", "view_subscription", "view_agreement")
    assert "locations" not in text(client, page_of("parties_agreement", Agreement.objects.get().pk))
    html = text(client, page_of("parties_platform", emsp.pk))
    assert [name for name in ACTIONS if f"/{name}/" in html] == []
    assert list_of("hub_subscription") in html
    assert list_of("hub_location") not in html
    assert "Deliver now" not in text(client, list_of("hub_subscription"))
    assert client.post(reverse("admin:parties_platform_suspend", args=[emsp.pk])).status_code == 403
    emsp.refresh_from_db()
    assert emsp.status == ConnectionStatus.CONNECTED


def test_lag_and_snapshot_progress_are_shown(admin_client: Client, emsp: Platform) -> None:
    """Lists and pages say how far a receiver is behind, and what is sent of a snapshot."""
    Snapshot.objects.update(sent=3)
    pages = [
        list_of("hub_subscription"),
        page_of("hub_subscription", Subscription.objects.get().pk),
    ]
    pages += [list_of("parties_platform"), page_of("parties_platform", emsp.pk)]
    for url in pages:
        assert "1 behind, oldest 7 min" in text(admin_client, url), url
    for url in (pages[0], pages[1], pages[3]):
        assert "3 of 4" in text(admin_client, url), url
        assert 'aria-label="Objects sent" max="4" value="3"' in text(admin_client, url), url
    Snapshot.objects.update(finished_at=timezone.now())
    assert "LIVE" in text(admin_client, pages[0])


def test_unpublished_locations_are_not_shown(admin_client: Client, emsp: Platform) -> None:
    """A Location with publish=false stands in no list and has no page."""
    hidden = put(2, publish=False, name="Secret depot")
    assert "Secret depot" not in text(admin_client, list_of("hub_location"))
    assert "Secret depot" not in text(admin_client, f"{list_of('hub_location')}?q=Secret")
    assert admin_client.get(page_of("hub_location", hidden.pk)).status_code == 302
    DeadLetter.objects.update(body='{"name":"Secret depot","publish": false}')
    assert "Secret depot" not in text(
        admin_client, page_of("hub_deadletter", DeadLetter.objects.get().pk)
    )


def test_a_location_is_shown_as_it_is_served_with_its_present_evses(
    admin_client: Client, emsp: Platform
) -> None:
    """Numbers and unknown members keep their spelling; EVSEs of a former text are gone."""
    put(1, evses=3)
    location = put(1, evses=1, x_factor=1.5, name="A & B")
    Evse.objects.filter(generation=location.generation).update(status="CHARGING")
    html = text(admin_client, page_of("hub_location", location.pk))
    assert "&quot;x_factor&quot;: 1.5" in html
    assert "A &amp; B" in html
    listed = text(admin_client, list_of("hub_location"))
    assert "1 CHARGING" in listed
    assert not re.search(r"\d AVAILABLE", listed)


def test_locations_are_found_by_id_name_city_and_evse_id(
    admin_client: Client, emsp: Platform
) -> None:
    """The search covers what an operator is told on the telephone."""
    put(2, name="Elsewhere", city="Ghent")
    location = Location.objects.get(object_id=a_location(CPA, 1)["id"])
    evse = Evse.objects.filter(object=location)[0]
    for words in (location.object_id, location.name, location.city, evse.evse_id):
        found = admin_client.get(list_of("hub_location"), {"q": words}).context["cl"].result_list
        assert location in found, words
        assert "Elsewhere" not in [row.name for row in found]
    assert (
        list(
            admin_client.get(list_of("hub_location"), {"owner": "BE-MIX"}).context["cl"].result_list
        )
        == []
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_list_of_fifty_costs_no_query_per_row(
    admin_client: Client,
    emsp: Platform,
    model: str,
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    """Fifty rows cost as many queries as one."""
    cpo = Party.objects.get(key="NL-CPA")
    for number in range(50):
        party = PartyFactory.create(role="EMSP", country_code="FR", party_id=f"{number:03}")
        AgreementFactory.create(cpo=cpo, emsp=party)
        EndpointFactory.create(platform=party.platform)
        put(number + 10)
    subscriptions.reconcile()
    letter = DeadLetter.objects.get()
    DeadLetter.objects.bulk_create(
        DeadLetter(subscription=letter.subscription, reason="no", path="x") for _ in range(50)
    )
    with django_assert_max_num_queries(QUERIES):
        assert len(admin_client.get(list_of(model)).context["cl"].result_list) == 50


def test_a_page_of_a_platform_costs_no_query_per_row(
    admin_client: Client, emsp: Platform, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    """A platform of fifty parties opens with as many queries as one of one party."""
    for number in range(50):
        party = PartyFactory.create(
            platform=emsp, role="EMSP", country_code="FR", party_id=f"{number:03}"
        )
        AgreementFactory.create(cpo=Party.objects.get(key="NL-CPA"), emsp=party)
    for module in known_modules():
        EndpointFactory.create(platform=emsp, module=module, role="SENDER")
    subscriptions.reconcile()
    with django_assert_max_num_queries(QUERIES):
        text(admin_client, page_of("parties_platform", emsp.pk))


def test_deliver_now_starts_a_task_for_each_chosen_subscription(
    admin_client: Client, emsp: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chosen subscriptions are delivered; one with a snapshot in the queue for long work."""
    started: list[tuple[str, int]] = []
    for name in ("deliver", "snapshot"):
        monkeypatch.setattr(
            getattr(delivery_tasks, name),
            "delay_on_commit",
            lambda pk, name=name, **_: started.append((name, pk)),
            raising=False,
        )
    subscription = Subscription.objects.get()
    chosen = {"action": "deliver_now", "_selected_action": [subscription.pk]}
    admin_client.post(list_of("hub_subscription"), chosen)
    Snapshot.objects.update(finished_at=timezone.now())
    admin_client.post(list_of("hub_subscription"), chosen)
    assert started == [("snapshot", subscription.pk), ("deliver", subscription.pk)]
