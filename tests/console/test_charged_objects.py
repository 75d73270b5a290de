"""Tariffs, tokens, sessions and CDRs in the console: found, linked, drawn, never changed."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from console.changelist import BoundedPaginator
from hub.models import Cdr, Evse, Location, Session, StoredObject, Tariff, Token
from hub.models.charging import ERASED
from hub.store.identity import object_key
from ocpi.types import fold
from ocpi.v2_2_1.tokens import TOKEN
from tests.factories import PartyFactory

pytestmark = pytest.mark.django_db
KINDS = (Location, Tariff, Token, Session, Cdr)
UID, CONTRACT, VISUAL = "04a1B2c3D4e5F6", "DE-MSA-C00012345-X", "DF000-2001-8999"
QUERIES = 20
Body = dict[str, Any]


def stored(kind: type[Any], owner: str, object_id: str, body: Body, **columns: Any) -> Any:
    """Store a row as the hub keeps it."""
    values = {
        "object_key": fold(object_id),
        "version": "2.2.1",
        "text": json.dumps({"id": object_id, **body}),
        "last_updated": timezone.now(),
        "last_updated_text": '""',
    }
    return kind.objects.create(owner=owner, object_id=object_id, **(values | columns))


def a_token(uid: str = UID, kind: str = "RFID", **columns: Any) -> Token:
    """Store a token of DE-MSA."""
    body = {"uid": uid, "type": kind, "contract_id": CONTRACT, "visual_number": VISUAL}
    key = object_key(TOKEN, uid, kind)
    values = {"object_key": key, "type": kind, "contract_id": CONTRACT} | columns
    row: Token = stored(Token, "DE-MSA", uid, body, **values)
    return row


def _charged(kind: type[Any], object_id: str, owner: str, body: Body, **columns: Any) -> Any:
    values = {
        "audience": "DE-MSA",
        "recipient": "DE-MSA",
        "token_key": fold(UID),
        "location_key": "LOC1",
        "evse_key": "E1",
        "started_at": timezone.now() - timedelta(hours=2),
        "kwh": 12.5,
        "cost": 5.0,
        "currency": "EUR",
    }
    token = {"uid": UID, "type": "RFID", "contract_id": CONTRACT}
    return stored(kind, owner, object_id, {"cdr_token": token, **body}, **(values | columns))


def a_session(object_id: str = "S1", owner: str = "NL-CPA", **columns: Any) -> Session:
    """Store a session at LOC1 with the token of DE-MSA."""
    body = columns.pop("body", {})
    row: Session = _charged(Session, object_id, owner, body, **({"status": "COMPLETED"} | columns))
    return row


def a_cdr(object_id: str = "C1", owner: str = "NL-CPA", session: str = "S1", **columns: Any) -> Cdr:
    """Store a CDR of a session."""
    row: Cdr = _charged(Cdr, object_id, owner, {}, session_key=fold(session), **columns)
    return row


def a_location(object_id: str = "LOC1", owner: str = "NL-CPA", **columns: Any) -> Location:
    """Store a location with one EVSE."""
    row: Location = stored(Location, owner, object_id, {"evses": []}, **columns)
    Evse.objects.create(
        object=row,
        uid="e1",
        key="E1",
        evse_id="NL*CPA*E1",
        status="AVAILABLE",
        text="{}",
        position=1,
        generation=1,
        revision=1,
        last_updated=timezone.now(),
    )
    return row


@pytest.fixture(autouse=True)
def _parties() -> None:
    PartyFactory.create(country_code="NL", party_id="CPA")
    PartyFactory.create(country_code="NL", party_id="CPB")
    PartyFactory.create(role="EMSP", country_code="DE", party_id="MSA")


@pytest.fixture
def _charging() -> None:
    """One object of each kind, all of one session."""
    a_location()
    stored(Tariff, "NL-CPA", "T1", {"currency": "EUR"}, currency="EUR", type="REGULAR")
    a_token()
    a_session()
    a_cdr()


def list_of(kind: type[StoredObject]) -> str:
    """Return the address of a list."""
    return reverse(f"admin:hub_{kind._meta.model_name}_changelist")


def page_of(row: StoredObject, name: str = "change") -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:hub_{row._meta.model_name}_{name}", args=[row.pk])


def text(client: Client, url: str, **query: str) -> str:
    """Open a page that must open and return its text."""
    answer = client.get(url, query)
    assert answer.status_code == 200, url
    return answer.content.decode()


def found(client: Client, kind: type[StoredObject], **query: str | int) -> set[str]:
    """Return the ids of what a list shows, read from the database as it shows them masked."""
    answer = client.get(list_of(kind), query)
    assert answer.status_code == 200
    rows = kind._default_manager.filter(pk__in=[row.pk for row in answer.context["cl"].result_list])
    return set(rows.values_list("object_id", flat=True))


@pytest.mark.usefixtures("_charging")
@pytest.mark.parametrize("kind", KINDS)
def test_every_page_opens_and_is_read_only(admin_client: Client, kind: type[StoredObject]) -> None:
    """Lists and pages open, load nothing from outside, and nothing there can be changed."""
    row = kind._default_manager.get()
    for url in (list_of(kind), page_of(row), page_of(row, "history")):
        outside = r"""<(?:script|link|img|iframe|image|use)[^>]+(?:src|href)=["'](?:https?:)?//"""
        assert not re.findall(outside, text(admin_client, url)), url
    assert admin_client.post(reverse(f"admin:hub_{kind._meta.model_name}_add")).status_code == 403
    assert admin_client.post(page_of(row), {"object_id": "x"}).status_code == 403
    assert admin_client.post(page_of(row, "delete"), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    admin_client.post(list_of(kind), action)
    assert kind._default_manager.get().object_id == row.object_id


@pytest.mark.usefixtures("_charging")
def test_the_menu_leads_to_every_list(admin_client: Client) -> None:
    """Each kind of object has an entry."""
    html = text(admin_client, reverse("admin:index"))
    assert [kind for kind in KINDS if list_of(kind) not in html] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_of_fifty_costs_what_a_list_of_five_costs(
    admin_client: Client,
    kind: type[StoredObject],
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    """The number of queries depends neither on the rows nor on what they are linked with."""
    makers: dict[Any, Callable[[int], object]] = {
        Location: lambda n: a_location(f"LOC{n}"),
        Tariff: lambda n: stored(Tariff, "NL-CPA", f"T{n}", {}),
        Token: lambda n: a_token(f"uid-{n}"),
        Session: lambda n: (a_session(f"S{n}"), a_cdr(f"C{n}", session=f"S{n}")),
        Cdr: lambda n: a_cdr(f"C{n}", session=f"S{n}"),
    }
    for number in range(5):
        makers[kind](number)
    with CaptureQueriesContext(connection) as few:
        text(admin_client, list_of(kind))
    for number in range(5, 60):
        makers[kind](number)
    with django_assert_max_num_queries(min(len(few), QUERIES)) as many:
        answer = admin_client.get(list_of(kind))
    assert len(answer.context["cl"].result_list) == 50
    counts = [query["sql"] for query in many.captured_queries if "COUNT(" in query["sql"]]
    table = kind._meta.db_table
    assert [sql for sql in counts if f'FROM "{table}"' in sql and "LIMIT" not in sql] == []


def test_rows_beyond_the_last_page_are_not_counted(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list says that there is more than it leafs through, not how much."""
    monkeypatch.setattr(BoundedPaginator, "most", 3)
    for number in range(3):
        a_session(f"S{number}")
    assert "3 sessions" in text(admin_client, list_of(Session))
    a_session("S3")
    html = text(admin_client, list_of(Session))
    assert "more than 3 sessions: search or filter" in html


@pytest.mark.usefixtures("_charging")
def test_whole_ids_are_found_whatever_their_case(admin_client: Client) -> None:
    """Id, token uid, location id, EVSE id and party find an object; parts of an id do not."""
    a_session("S2", owner="NL-CPB", token_key="OTHER", location_key="LOC9")
    a_cdr("C2", owner="NL-CPB", session="S2", token_key="OTHER", location_key="LOC9")
    for words in ("s1", UID.lower(), "loc1", "nl*cpa*e1", "NL-CPA", "nl-cpa"):
        assert found(admin_client, Session, q=words) == {"S1"}, words
    for words in ("C1", "S1", UID, "LOC1", "NL*CPA*E1", "NL-CPA"):
        assert found(admin_client, Cdr, q=words) == {"C1"}, words
    assert found(admin_client, Session, q="DE-MSA") == {"S1", "S2"}
    assert found(admin_client, Tariff, q="t1") == found(admin_client, Tariff, q="NL-CPA") == {"T1"}
    assert found(admin_client, Location, q="NL*CPA*E") == {"LOC1"}
    for words in (UID[:-1], UID[-4:], "NL*CPA*E", "DE-XYZ", "%"):
        assert found(admin_client, Session, q=words) == set(), words


def test_an_id_that_looks_like_a_party_is_found(admin_client: Client) -> None:
    """Only what a party is called means the party."""
    a_session("AB-123")
    assert found(admin_client, Session, q="AB-123") == {"AB-123"}


def test_tokens_of_any_type_are_found_by_their_whole_uid(admin_client: Client) -> None:
    """The type is part of a token's key, not of what an operator has at hand."""
    a_token("UID-RFID")
    a_token("UID-APP", kind="APP_USER")
    assert found(admin_client, Token, q="uid-rfid") == {"UID-RFID"}
    assert found(admin_client, Token, q="uid-app") == {"UID-APP"}
    assert found(admin_client, Token, q="uid") == set()
    assert found(admin_client, Token, q="de-msa") == {"UID-RFID", "UID-APP"}


def test_lists_are_narrowed_by_filters(admin_client: Client) -> None:
    """Owner, recipient, status, type, validity and dates are chosen without reading the list."""
    a_session("S1", status="ACTIVE")
    a_session("S2", owner="NL-CPB", recipient="", started_at=timezone.now() - timedelta(days=400))
    assert found(admin_client, Session, owner="NL-CPB") == {"S2"}
    assert found(admin_client, Session, recipient="DE-MSA") == {"S1"}
    assert found(admin_client, Session, status="ACTIVE") == {"S1"}
    assert found(admin_client, Session, version="2.2") == set()
    week_ago = (timezone.now() - timedelta(days=7)).isoformat()
    assert found(admin_client, Session, started_at__gte=week_ago) == {"S1"}
    a_token("RFID", valid=False)
    a_token("APP", kind="APP_USER", whitelist="NEVER")
    assert found(admin_client, Token, type="APP_USER") == {"APP"}
    assert found(admin_client, Token, whitelist="NEVER") == {"APP"}
    assert found(admin_client, Token, valid__exact=0) == {"RFID"}
    a_cdr("C1", credit=True)
    a_cdr("C2")
    assert found(admin_client, Cdr, credit__exact=1) == {"C1"}


@pytest.mark.usefixtures("_charging")
def test_what_belongs_together_is_linked(admin_client: Client) -> None:
    """A session leads to its CDR, token and location, a CDR to all three, and these back."""
    a_cdr("CREDIT", credit=True)
    everything: dict[Any, str] = {
        kind: page_of(kind._default_manager.order_by("pk")[0]) for kind in KINDS
    }
    credit = page_of(Cdr.objects.get(object_id="CREDIT"))
    links_by_page = {
        everything[Session]: [everything[Cdr], credit, everything[Token], everything[Location]],
        everything[Cdr]: [everything[Session], credit, everything[Token], everything[Location]],
        everything[Token]: [everything[Session], everything[Cdr]],
        everything[Location]: [everything[Session], everything[Cdr], credit],
        list_of(Session): [everything[Cdr], credit],
    }
    for url, links in links_by_page.items():
        html = text(admin_client, url)
        assert [link for link in links if f'href="{link}"' not in html] == [], url


@pytest.mark.usefixtures("_charging")
def test_equal_ids_of_others_are_not_mixed_up(admin_client: Client) -> None:
    """Ids are unique per owner, a token's per owner and type; what has no page has no link."""
    other = [a_session(owner="NL-CPB"), a_cdr(owner="NL-CPB"), a_location(owner="NL-CPB")]
    other += [a_token(kind="APP_USER")]
    for kind in (Session, Cdr):
        html = text(admin_client, page_of(kind._default_manager.get(owner="NL-CPA")))
        assert [row for row in other if f'href="{page_of(row)}"' in html] == []
    Location.objects.update(publish=False)
    Token.objects.all().delete()
    html = text(admin_client, page_of(Session.objects.get(owner="NL-CPA")))
    assert [row for row in Location.objects.all() if f'href="{page_of(row)}"' in html] == []
    assert "unknown to the hub" in html


def test_an_object_sent_to_a_party_itself_comes_first(admin_client: Client) -> None:
    """Whoever charged saw the location that was sent to it, not the one for everybody."""
    everybodys, its_own = a_location(), a_location(audience="DE-MSA")
    html = text(admin_client, page_of(a_session()))
    assert f'href="{page_of(its_own)}"' in html
    assert f'href="{page_of(everybodys)}"' not in html


def test_many_sessions_are_listed_behind_a_link(admin_client: Client) -> None:
    """A token or location shows its newest sessions and leads to the list of all of them."""
    token, location = a_token(), a_location()
    for number in range(12):
        a_session(f"S{number}")
    a_session("S of another", token_key="OTHER", location_key="LOC9")
    for row, name in ((token, "token"), (location, "location")):
        url = f"{list_of(Session)}?{name}={row.pk}"
        html = text(admin_client, page_of(row))
        assert f'href="{url}"' in html
        assert "S11" in html
        assert ">S1<" not in html
        listed = admin_client.get(url).context["cl"].result_list
        assert {row.object_id for row in listed} == {f"S{number}" for number in range(12)}
    assert found(admin_client, Session, token=0) == found(admin_client, Cdr, location="x") == set()


@pytest.mark.usefixtures("_charging")
def test_a_viewer_of_sessions_sees_nothing_of_what_it_may_not_see(client: Client) -> None:
    """Rows of another list are shown to whoever may open that list."""
    user = User.objects.create_user("viewer", password="long enough a word", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_session"))
    client.force_login(user)
    for url in (list_of(Session), page_of(Session.objects.get())):
        html = text(client, url)
        others = [page_of(kind._default_manager.get()) for kind in (Cdr, Token, Location)]
        assert [other for other in others if other in html] == []
    for url in (list_of(Cdr), page_of(Cdr.objects.get())):
        assert client.get(url).status_code == 403


def test_an_erased_driver_is_shown_as_erased(admin_client: Client) -> None:
    """The word stands whole, and no token is looked for under it."""
    row = a_cdr("C9", token_key=ERASED)
    shown, listed = text(admin_client, page_of(row)), text(admin_client, list_of(Cdr))
    assert ERASED in shown
    assert ERASED in listed
    assert "…SED" not in shown + listed
    assert "unknown to the hub" not in shown


def test_noise_is_shown_and_sorted_by(admin_client: Client) -> None:
    """Identical PUTs, and changes with an older `last_updated`, are counted and found."""
    quiet, loud = a_session("quiet"), a_session("loud", repeated=1200, stale=34)
    place = admin_client.get(list_of(Session)).context["cl"].list_display.index("noise_sum")
    answer = admin_client.get(list_of(Session), {"o": f"-{place}"})
    assert [row.pk for row in answer.context["cl"].result_list] == [loud.pk, quiet.pk]
    assert "1,200 repeated, 34 stale" in answer.content.decode()
    html = text(admin_client, page_of(loud))
    assert "1,200 repeated" in html
    assert "34 stale" in html


def test_numbers_and_unknown_members_keep_their_spelling(admin_client: Client) -> None:
    """What is shown is the owner's own text, only broken into lines."""
    raw = '{"price":0.3900,"x_1":1.50e0,"big":12345678901234567890.10,"ünï":"\\u00e9"}'
    for kind, row in ((Tariff, stored(Tariff, "NL-CPA", "T1", {})), (Session, a_session())):
        kind._default_manager.update(text=raw)
        html = text(admin_client, page_of(row))
        for lexeme in ("0.3900", "1.50e0", "12345678901234567890.10", "ünï", "\\u00e9"):
            assert lexeme in html


def _period(minute: int, *volumes: object, kind: str = "ENERGY") -> dict[str, Any]:
    dimensions = [{"type": kind, "volume": volume} for volume in volumes]
    return {"start_date_time": f"2026-11-21T08:{minute % 60:02}:00Z", "dimensions": dimensions}


def test_charging_periods_are_drawn_with_totals(admin_client: Client) -> None:
    """Each period is a bar of its energy; the totals stand beside."""
    periods = [_period(0, 1.5), _period(5, 3, kind="TIME"), _period(10, 2.0, 0.5), _period(15, -1)]
    ended = timezone.now() + timedelta(seconds=1)
    row = a_session(body={"charging_periods": periods}, ended_at=ended)
    html = text(admin_client, page_of(row))
    chart = html[html.index("<svg", html.index("hub-chart")) :].partition("</svg>")[0]
    assert re.findall(r"UTC: (\S+) kWh", chart) == ["1.500", "0.000", "2.500", "-1.000"]
    assert re.findall(r'height="([0-9.]+)" /></g>', chart) == ["72.00", "0.00", "120.00", "48.00"]
    assert "<script" not in chart
    assert "<strong>3.000 kWh</strong> in 4 periods, 2.500 kWh in the largest" in html
    for words in ("12.500 kWh", "5.00 EUR", "0.4000 EUR per kWh", "2 h 00 min"):
        assert words in html


@pytest.mark.parametrize(
    "periods",
    [
        None,
        "none",
        [None, 1, {}],
        [{"dimensions": 5, "start_date_time": 7}],
        [_period(1, "NaN", None, 1e308, 1e308)],
    ],
)
def test_odd_periods_and_amounts_do_not_break_the_page(
    admin_client: Client, periods: object
) -> None:
    """An operator can always look at what an owner sent."""
    row = a_session(body={"charging_periods": periods}, kwh=0.0, started_at=None, currency="")
    assert "As served" in text(admin_client, page_of(row))


def test_very_many_periods_stay_a_small_chart(admin_client: Client) -> None:
    """Periods share bars where there are too many to tell apart; no energy is lost."""
    row = a_cdr()
    body = {"charging_periods": [_period(minute, 0.25) for minute in range(1000)]}
    Cdr.objects.update(text=json.dumps(body))
    html = text(admin_client, page_of(row))
    assert "<strong>250.000 kWh</strong> in 1000 periods, 1.750 kWh in the largest bar" in html
    assert html.count("hub-slot") <= 160
