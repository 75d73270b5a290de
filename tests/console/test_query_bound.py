"""No page of the console asks the database more than twenty times, whatever it lists and how."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from hub.models import (
    DeadLetter,
    Exchange,
    KeptCdr,
    PullState,
    Quarantined,
    Snapshot,
    Subscription,
    Tariff,
)
from operators.audit import record
from tests.console.test_charged_objects import UID, a_cdr, a_location, a_session, a_token, stored
from tests.factories import (
    AgreementFactory,
    CredentialsFactory,
    EndpointFactory,
    PartyFactory,
    PlatformFactory,
)

pytestmark = pytest.mark.django_db
QUERIES = 20
ROWS = QUERIES + 5
"""So many that a query for each row breaks the bound."""
WORDS = ("NL-CPA", "DE-MSA", "S1", UID, "…e5F6", "LOC1", "NL*CPA*E1", "P1", "nobody knows it", "%")
EXPLORED = (
    "q=journey-1",
    "object=L1&module=locations",
    f"object={UID}&module=tokens",
    "party=NL-CPA&status_code=failed",
    "direction=in&route=direct&since=1h&until=1m",
)
LISTS = sorted(model._meta.label_lower.replace(".", "_") for model in admin.site._registry)
Pages = dict[str, list[str]]


def _parties() -> None:
    """Platforms, each with a party that has an agreement, a subscription, a letter, a pull."""
    cpo = PartyFactory.create(
        platform=PlatformFactory.create(name="P1"), country_code="NL", party_id="CPA"
    )
    for number in range(ROWS):
        key = "MSA" if not number else f"{number:03}"
        party = PartyFactory.create(role="EMSP", country_code="DE", party_id=key)
        for outbound in (False, True):
            CredentialsFactory.create(platform=party.platform, outbound=outbound)
        EndpointFactory.create(platform=party.platform)
        AgreementFactory.create(cpo=cpo, emsp=party)
        subscription = Subscription.objects.create(
            receiver=party, module="locations", transaction=1
        )
        Snapshot.objects.create(subscription=subscription, owner="NL-CPA")
        DeadLetter.objects.create(
            subscription=subscription, owner="NL-CPA", object_key="LOC1", method="PUT",
            path="NL/CPA/LOC1", reason="no", correlation_id="journey-1",
            http_status=400 + number, status_code=2000 + number,
        )  # fmt: skip
        pull = PullState.objects.create(party=party, module="tokens", quarantined=1)
        Quarantined.objects.create(
            pull=pull, key="1", object_id=UID, text=json.dumps({"uid": UID}), findings="valid: no"
        )


def _objects() -> None:
    """As many of each kind, linked with each other."""
    for number in range(ROWS):
        a_location(f"LOC{number}", latitude=52.0, longitude=5.0 + number / 100)
        stored(Tariff, "NL-CPA", f"T{number}", {})
        a_token(f"{UID}{number or ''}")
        a_session(f"S{number}", location_key=f"LOC{number}")
        a_cdr(f"C{number}", session=f"S{number}")


def _rest() -> None:
    """As many messages, changes and people."""
    now = timezone.now()
    for number in range(ROWS):
        Exchange.objects.create(
            at=now - timedelta(seconds=number), direction="in", platform="P1", sender="NL-CPA",
            receiver="DE-MSA", module="locations", method="PUT", path=f"NL/CPA/LOC{number}",
            object_key=f"LOC{number}", route="direct", http_status=200, status_code=1000,
            milliseconds=1.0, request_id=f"request-{number}", correlation_id="journey-1",
        )  # fmt: skip
        record("changed", f"P{number}", kind="parties.Platform")
        person = User.objects.create_user(f"person {number}")
        person.groups.set(Group.objects.all())
        Client().force_login(person)
        KeptCdr.objects.create(
            platform="P9", owner="NL-CPX", recipient="DE-MSA", object_id=f"K{number}",
            version="2.2.1", text="{}", currency="EUR", posted_at=now,
        )  # fmt: skip
        Group.objects.create(name=f"group {number}")


@pytest.fixture(scope="module")
def some_of_everything(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Fill the hub once: each test is undone to here."""
    with django_db_blocker.unblock(), transaction.atomic():
        _parties()
        _objects()
        _rest()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def console(some_of_everything: None, admin_client: Client) -> Client:
    """A superuser's browser."""
    return admin_client


def costs(client: Client, url: str) -> int:
    """Open a page that must open, and count its queries."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
        assert answer.status_code == 200, url
        answer.getvalue()
    return len(queries)


def narrowed(client: Client, url: str) -> Iterator[str]:
    """Return every choice of every filter of a list."""
    changelist: Any = client.get(url).context["cl"]
    for spec in getattr(changelist, "filter_specs", ()):
        for choice in spec.choices(changelist):
            if query := choice.get("query_string"):
                yield f"{url}{query}"


@pytest.mark.parametrize("model", LISTS)
def test_every_list_and_every_search_of_it_is_bounded(console: Client, model: str) -> None:
    """As it is, by each filter, sorted by each column, and searched for whatever may be sought."""
    url = reverse(f"admin:{model}_changelist")
    shown: Any = console.get(url).context["cl"]
    asked = EXPLORED if shown.model is Exchange else [f"q={word}" for word in WORDS]
    sorted_by = [f"o={place}" for place in range(1, len(shown.list_display) + 1)]
    pages = [url, *(f"{url}?{query}" for query in (*asked, *sorted_by)), *narrowed(console, url)]

    assert {page: n for page in pages if (n := costs(console, page)) > QUERIES} == {}


@pytest.mark.parametrize("model", LISTS)
def test_the_page_of_every_row_is_bounded(console: Client, model: str) -> None:
    """Of the first row, with its history."""
    of = next(m for m in admin.site._registry if m._meta.label_lower == model.replace("_", ".", 1))
    row = of._default_manager.order_by("pk").first()
    assert row is not None
    pages = [reverse(f"admin:{model}_{page}", args=[row.pk]) for page in ("change", "history")]

    assert {page: n for page in pages if (n := costs(console, page)) > QUERIES} == {}


@pytest.mark.parametrize(
    "name,query",
    [
        ("index", ""),
        ("hub_location_map", ""),
        ("hub_location_spots", "left=0&top=0&right=16777215&bottom=16777215&zoom=9"),
        ("parties_agreement_matrix", ""),
        ("parties_agreement_matrix", "owners=NL&readers=DE&state=ACTIVE"),
        ("parties_agreement_explain", "one=NL-CPA&other=DE-MSA&module=locations"),
        ("hub_exchange_timeline", "correlation_id=journey-1"),
        ("hub_session_export", "status=ACTIVE"),
        ("hub_evse_export", ""),
    ],
)
def test_every_other_page_is_bounded(console: Client, name: str, query: str) -> None:
    """The dashboard, the map, the matrix, an explanation, a timeline, the way to a file."""
    assert costs(console, f"{reverse(f'admin:{name}')}?{query}") <= QUERIES


def test_some_of_everything_is_there(console: Client) -> None:
    """No list is bounded because it is empty."""
    counts = {model._meta.label: model._default_manager.count() for model in admin.site._registry}
    assert {label: number for label, number in counts.items() if number < ROWS} == {}
