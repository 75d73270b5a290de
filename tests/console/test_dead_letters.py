"""The page of a dead letter shows its body, but of a Location that its owner does not publish."""

import pytest
from django.test import Client
from django.urls import reverse

from hub import store
from hub.models import DeadLetter, Location, Subscription
from tests.cast import CPA, a_location
from tests.factories import PartyFactory
from tests.hub.store.write_requests import location_write

pytestmark = pytest.mark.django_db
SECRET = "GATE-CODE-7"


def _page(client: Client, location: Location, method: str, body: str) -> str:
    """Open the page of a dead letter about a Location."""
    subscription = Subscription.objects.create(
        receiver=PartyFactory.create(role="EMSP"), module="locations", transaction=1
    )
    letter = DeadLetter.objects.create(
        subscription=subscription,
        owner=location.owner,
        object_key=location.object_key,
        method=method,
        path=f"NL/CPA/{location.object_id}",
        body=body,
        reason="no",
    )
    return client.get(reverse("admin:hub_deadletter_change", args=[letter.pk])).content.decode()


def _stored(*, publish: bool) -> Location:
    body = a_location(CPA, 1, publish=publish)
    store.apply(location_write("PUT", body["id"], body=body))
    return Location.objects.get()


@pytest.mark.conformance("LOC-17")
@pytest.mark.parametrize(
    "method, body",
    [
        ("PUT", '{"publish": false, "name": "GATE-CODE-7"}'),
        ("PATCH", '{"name": "GATE-CODE-7"}'),
        ("PUT", '{"uid": "E1", "physical_reference": "GATE-CODE-7"}'),
    ],
    ids=["itself", "a change", "an EVSE"],
)
def test_nothing_of_an_unpublished_location_is_shown(
    admin_client: Client, method: str, body: str
) -> None:
    """Neither it nor a change or a part, which do not say that it is not published."""
    page = _page(admin_client, _stored(publish=False), method, body)

    assert SECRET not in page
    assert "its owner does not publish it" in page


def test_a_change_of_a_published_location_is_shown(admin_client: Client) -> None:
    """An operator sees what its receiver did not take."""
    page = _page(admin_client, _stored(publish=True), "PATCH", '{"name": "GATE-CODE-7"}')

    assert SECRET in page


def test_who_may_see_a_location_is_masked(admin_client: Client) -> None:
    """`publish_allowed_to` has drivers' tokens."""
    body = '{"publish_allowed_to": [{"uid": "04AABBCC"}]}'

    page = _page(admin_client, _stored(publish=True), "PATCH", body)

    assert "04AABBCC" not in page
