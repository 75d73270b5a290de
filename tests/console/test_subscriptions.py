"""The page of subscriptions says what keeps one from being delivered, while nothing has failed."""

import pytest
from django.test import Client

from console.subscriptions import complete, health
from hub.models import Subscription
from ocpi.types import InterfaceRole, ModuleID
from parties.connection_status import ConnectionStatus
from parties.models import Party
from tests.factories import EndpointFactory, PartyFactory, PlatformFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def emsp() -> Party:
    """An eMSP that is connected and takes Locations."""
    platform = PlatformFactory.create(status=ConnectionStatus.CONNECTED)
    EndpointFactory.create(
        platform=platform, module=ModuleID.LOCATIONS, role=InterfaceRole.RECEIVER
    )
    return PartyFactory.create(platform=platform, role="EMSP")


def _health(receiver: Party, module: ModuleID) -> str:
    row = Subscription.objects.create(receiver=receiver, module=module, transaction=0)
    [found] = complete(Subscription.objects.filter(pk=row.pk).select_related("receiver__platform"))
    return str(health(found, receiver.platform))


def test_nothing_keeps_one_that_is_taken(emsp: Party) -> None:
    """A registered party whose platform has the endpoint."""
    assert _health(emsp, ModuleID.LOCATIONS) == "-"


def test_a_module_without_an_endpoint_is_named(emsp: Party) -> None:
    """Its platform offers no RECEIVER of it: nothing goes out, however well all else is."""
    assert "no endpoint" in _health(emsp, ModuleID.TARIFFS)


def test_a_party_that_is_not_named_any_more_is_named(emsp: Party) -> None:
    """Its subscription may outlast its registration."""
    emsp.is_active = False
    emsp.save()

    assert "party not registered" in _health(emsp, ModuleID.LOCATIONS)


def test_the_list_shows_it(emsp: Party, admin_client: Client) -> None:
    """An operator need not open each page."""
    for module in (ModuleID.LOCATIONS, ModuleID.TARIFFS, ModuleID.TOKENS):
        Subscription.objects.create(receiver=emsp, module=module, transaction=0)

    page = admin_client.get("/admin/hub/subscription/").content.decode()

    assert page.count("no endpoint") == 2
