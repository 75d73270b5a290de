"""The message log in the operators' console."""

import html
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from hub.models import Exchange
from tests.factories import PartyFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:hub_exchange_changelist")
QUERIES = 12


def an_exchange(**values: Any) -> Exchange:
    """Write one."""
    usual: dict[str, Any] = {
        "at": timezone.now(),
        "direction": "in",
        "platform": "P1",
        "sender": "NL-CPA",
        "receiver": "DE-MSA",
        "module": "locations",
        "method": "PUT",
        "path": "NL/CPA/L1",
        "object_key": "L1",
        "route": "direct",
        "http_status": 200,
        "status_code": 1000,
        "milliseconds": 12.3,
        "request_id": "request-1",
        "correlation_id": "journey-1",
        "request_body": '{"id":"L1"}',
    }
    return Exchange.objects.create(**{**usual, **values})


def found(client: Client, **query: str) -> list[int]:
    """Return the rows of a list, as it is narrowed."""
    answer: Any = client.get(LIST, query)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["cl"].result_list]


def test_the_list_is_newest_first_and_can_be_narrowed(admin_client: Client) -> None:
    """By party, module, code, direction and route; searched by whole ids alone."""
    for country, party in (("DE", "MSA"), ("FR", "MSB")):
        PartyFactory.create(role="EMSP", country_code=country, party_id=party)
    first = an_exchange().pk
    token = an_exchange(
        direction="out",
        sender="FR-MSB",
        module="tokens",
        status_code=4003,
        route="refused",
        request_id="request-2",
        correlation_id="journey-2",
        object_key="…CCDD",
    ).pk
    assert found(admin_client) == [token, first]
    assert found(admin_client, party="FR-MSB") == [token]
    assert found(admin_client, party="DE-MSA") == [token, first]
    assert found(admin_client, party="FR-MSB", module="locations") == []
    assert found(admin_client, module="tokens") == [token]
    assert found(admin_client, status_code="4003") == [token]
    assert found(admin_client, direction="in") == [first]
    assert found(admin_client, route="refused") == [token]
    for words, expected in {
        "journey-1": [first],
        "request-2": [token],
        "l1": [first],
        "04AABBCCDD": [token],
        "journey": [],
    }.items():
        assert found(admin_client, q=words) == expected


def test_a_page_leads_to_all_of_its_journey(admin_client: Client) -> None:
    """With the bodies of this one, and a way to each of the others."""
    came = an_exchange(status_message="as agreed")
    went = an_exchange(direction="out", platform="P2")
    page = reverse("admin:hub_exchange_change", args=[came.pk])
    text = html.unescape(admin_client.get(page).content.decode())
    assert '"id": "L1"' in text
    assert "as agreed" in text
    assert reverse("admin:hub_exchange_change", args=[went.pk]) in text
    assert admin_client.post(page, {"path": "x"}).status_code == 403


def test_a_list_costs_the_same_however_long(admin_client: Client) -> None:
    """No query for each row, and no counting beyond the pages."""
    for _ in range(30):
        an_exchange()
    with CaptureQueriesContext(connection) as queries:
        found(admin_client)
    assert len(queries) <= QUERIES
    assert not [q for q in queries if "COUNT" in q["sql"] and "LIMIT" not in q["sql"]]


def test_who_may_not_see_the_log_does_not(client: Client, django_user_model: Any) -> None:
    """It is nobody's by being of the staff alone."""
    user = django_user_model.objects.create_user("somebody", is_staff=True)
    client.force_login(user)
    assert client.get(LIST).status_code == 403
