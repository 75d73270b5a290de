"""The message log in the operators' console."""

import html
from datetime import timedelta
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
TIMELINE = reverse("admin:hub_exchange_timeline")
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


def test_what_cannot_be_understood_is_said(admin_client: Client) -> None:
    """Each field for itself; nothing is shown that was not asked for."""
    an_exchange()
    for name, text, sentence in (
        ("party", "NLCPA", "is not a party like NL-CPA"),
        ("party", "a\0b", "Null characters are not allowed"),
        ("status_code", "bad", "is no status code"),
        ("since", "soon", "write 30s, 10m"),
        ("before", "x", "is no position in the log"),
        ("module", "x", "not one of the available choices"),
    ):
        answer: Any = admin_client.get(LIST, {name: text})
        assert sentence in html.unescape(answer.content.decode())
        assert answer.context["cl"].result_list == []


def test_a_list_goes_on_below(admin_client: Client) -> None:
    """The way to older ones keeps what was asked, and leads back to the newest."""
    rows = [an_exchange(module="cdrs").pk for _ in range(60)]
    an_exchange()
    first: Any = admin_client.get(LIST, {"module": "cdrs"})
    assert [row.pk for row in first.context["cl"].result_list] == rows[:9:-1]
    second: Any = admin_client.get(LIST + first.context["cl"].older)
    assert [row.pk for row in second.context["cl"].result_list] == rows[9::-1]
    assert second.context["cl"].newest == "?module=cdrs"
    assert "No older ones." in second.content.decode()


def test_a_timeline_shows_all_hops(admin_client: Client) -> None:
    """In the order they began, with bars, bodies and curl; in a few queries."""
    began = timezone.now()
    an_exchange(at=began, milliseconds=100.0)
    failed = an_exchange(
        at=began + timedelta(milliseconds=25),
        direction="out",
        milliseconds=50.0,
        status_code=2001,
        status_message="missing field: auth_method",
    )
    with CaptureQueriesContext(connection) as queries:
        answer: Any = admin_client.get(TIMELINE, {"correlation_id": "journey-1"})
    assert len(queries) <= QUERIES
    journey, text = answer.context["journey"], html.unescape(answer.content.decode())
    assert [(hop.x, hop.width) for hop in journey.hops] == [(0.0, 1000.0), (250.0, 500.0)]
    assert (journey.milliseconds, journey.failed) == (100.0, 1)
    assert "missing field: auth_method" in text
    assert '"id": "L1"' in text
    assert "curl -X PUT" in text
    assert "Token $TOKEN" in text
    assert reverse("admin:hub_exchange_change", args=[failed.pk]) in text
    assert "/admin/parties/agreement/explain/?one=NL-CPA&other=DE-MSA&module=locations" in text
    assert " style=" not in text[text.index("hub-hops") :]
    nothing = admin_client.get(TIMELINE, {"correlation_id": "never"}).content.decode()
    assert "Nothing in the message log carried this correlation id" in nothing


def test_a_long_journey_is_shown_without_its_bodies(admin_client: Client) -> None:
    """A broadcast to hundreds is one page in as many queries."""
    for _ in range(60):
        an_exchange()
    with CaptureQueriesContext(connection) as queries:
        text = admin_client.get(TIMELINE, {"correlation_id": "journey-1"}).content.decode()
    assert len(queries) <= QUERIES
    assert "60 messages" in text
    assert "curl -X" not in text


def test_a_list_costs_the_same_however_long(admin_client: Client) -> None:
    """No query for each row, and no counting."""
    for _ in range(30):
        an_exchange()
    with CaptureQueriesContext(connection) as queries:
        found(admin_client)
    assert len(queries) <= QUERIES
    assert not [q for q in queries if "COUNT" in q["sql"]]


def test_who_may_not_see_the_log_does_not(client: Client, django_user_model: Any) -> None:
    """It is nobody's by being of the staff alone."""
    user = django_user_model.objects.create_user("somebody", is_staff=True)
    client.force_login(user)
    assert client.get(LIST).status_code == 403
    assert client.get(TIMELINE).status_code == 403
