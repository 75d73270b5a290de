"""Lists are sorted by their columns while they are short enough for that."""

import pytest
from django.test import Client
from django.utils import timezone

from console import changelist
from hub.models import Tariff
from tests.factories import PartyFactory

LIST = "/admin/hub/tariff/"


@pytest.fixture
def three(db: None) -> None:
    """Three tariffs, of two owners."""
    PartyFactory(country_code="NL", party_id="CPA", role="CPO")  # type: ignore[no-untyped-call]
    shared = {"text": "{}", "last_updated": timezone.now()}
    for owner, name in (("NL-CPA", "B"), ("NL-CPB", "A"), ("NL-CPA", "C")):
        Tariff.objects.create(owner=owner, object_id=name, object_key=name, **shared)


def ids(client: Client, query: str) -> list[str]:
    """Return the ids of a list, in its order."""
    return [row.object_id for row in client.get(f"{LIST}?{query}").context["cl"].result_list]


@pytest.mark.usefixtures("three")
def test_a_short_list_is_sorted(admin_client: Client) -> None:
    """By the column that is asked for, in its direction."""
    assert ids(admin_client, "o=0") == ["A", "B", "C"]
    assert ids(admin_client, "o=-0") == ["C", "B", "A"]


@pytest.mark.usefixtures("three")
def test_a_long_list_keeps_its_own_order_and_says_why(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No index leads through millions of rows by each column: narrowed, the list is sorted."""
    monkeypatch.setattr(changelist, "MOST", 2)

    assert ids(admin_client, "o=0") == ["C", "A", "B"]
    page = admin_client.get(f"{LIST}?o=0").content.decode()
    assert "Lists of more than 2 are not sorted: narrow it first." in page
    assert ids(admin_client, "o=0&q=NL-CPA") == ["B", "C"]
