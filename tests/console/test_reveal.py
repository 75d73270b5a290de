"""What identifies a driver: masked for all, revealed to who may, recorded each time."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import CommandError
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from console.object_links import page_of
from hub.models import Exchange, Location
from operators.models import Change
from tests.console.test_charged_objects import CONTRACT, UID, a_session, a_token, stored
from tests.hub.message_log.test_console import an_exchange
from tests.parties.commands import run, run_json

pytestmark = pytest.mark.django_db


def reveal(row: Model) -> str:
    """Return the address."""
    return f"{page_of(row).removesuffix('change/')}reveal/"


def support(client: Client, users: Any, *codenames: str) -> None:
    """Log somebody in who may do this."""
    user = users.objects.create_user("somebody", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)


def test_who_may_is_asked_why_then_shown_and_recorded(
    client: Client, django_user_model: Any
) -> None:
    """In the object's history, which does not quote it."""
    token = a_token()
    support(client, django_user_model, "view_token", "reveal_personal")
    assert reveal(token) in client.get(page_of(token)).content.decode()
    asked = client.get(reveal(token)).content.decode()
    refused = client.post(reveal(token), {"reason": " "}).content.decode()
    assert UID not in asked + refused
    assert not LogEntry.objects.exists()

    answer = client.post(reveal(token), {"reason": "Ticket 7"})

    text = answer.content.decode()
    assert UID in text
    assert CONTRACT in text
    assert "no-store" in answer.headers["Cache-Control"]
    [entry] = LogEntry.objects.all()
    assert (entry.user.get_username(), entry.object_id) == ("somebody", str(token.pk))
    assert "Personal data revealed: Ticket 7" in entry.get_change_message()
    assert UID not in entry.object_repr


def test_a_reason_that_quotes_the_driver_is_kept_without(
    admin_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither history, audit nor the process's log says what was revealed."""
    token = a_token()
    admin_client.post(reveal(token), {"reason": f"Ticket 7 about {UID.lower()}"})
    run("reveal", "TOKEN", "DE", "MSA", UID, "--reason", f"Ticket 8 about {CONTRACT}")
    kept = [entry.get_change_message() for entry in LogEntry.objects.all()]
    kept += [str(row.after) for row in Change.objects.filter(action="revealed")]
    said = f"{kept} {caplog.text}".upper()
    assert said.count("TICKET") == 5
    assert UID not in said
    assert CONTRACT not in said


def test_a_session_reveals_its_token(admin_client: Client) -> None:
    """Where the uid is a member of a member."""
    text = admin_client.post(reveal(a_session()), {"reason": "x"}).content.decode()
    assert "cdr_token.uid" in text
    assert UID in text


def test_who_may_not_does_not(client: Client, django_user_model: Any) -> None:
    """Neither who may only look, nor who may reveal but not look."""
    token = a_token()
    support(client, django_user_model, "view_token")
    assert reveal(token) not in client.get(page_of(token)).content.decode()
    assert client.post(reveal(token), {"reason": "x"}).status_code == 403
    user = django_user_model.objects.get()
    user.user_permissions.set(Permission.objects.filter(codename="reveal_personal"))
    assert client.post(reveal(token), {"reason": "x"}).status_code == 403


def test_an_object_leads_to_its_messages_and_back(admin_client: Client) -> None:
    """A token by the end of its uid, which is all the log and the address have."""
    token, session = a_token(), a_session()
    place = stored(Location, "NL-CPA", "L1", {}, publish=True)
    ending = f"…{UID[-4:].upper()}"
    rows = {
        token: an_exchange(module="tokens", object_key=ending, sender="DE-MSA"),
        session: an_exchange(module="sessions", object_key=session.object_key),
        place: an_exchange(module="locations", object_key="L1"),
    }
    for each, row in rows.items():
        page: Any = admin_client.get(page_of(each))
        text = page.content.decode()
        start = reverse("admin:hub_exchange_changelist")
        url = text[text.index(f"{start}?object=") :].partition('"')[0].replace("&amp;", "&")
        assert UID not in url
        found: Any = admin_client.get(url)
        assert [hit.pk for hit in found.context["cl"].result_list] == [row.pk]
        back = admin_client.get(page_of(row)).content.decode()
        if each is token:
            found = admin_client.get("/admin/hub/token/", {"q": ending})
            assert [hit.pk for hit in found.context["cl"].result_list] == [token.pk]
            assert "/admin/hub/token/?q=" in back
        else:
            assert page_of(each) in back


def test_who_may_not_see_the_log_has_no_way_to_it(client: Client, django_user_model: Any) -> None:
    """The page of an object leads nowhere one may not go."""
    support(client, django_user_model, "view_token")
    assert "/admin/hub/exchange/" not in client.get(page_of(a_token())).content.decode()
    assert not Exchange.objects.exists()


def test_the_command_reveals_and_records(caplog: pytest.LogCaptureFixture) -> None:
    """With a reason, in the process's log, which does not quote it."""
    a_token()
    [found] = run_json("reveal", "TOKEN", "DE", "MSA", UID, "--reason", "Ticket 7")
    assert (found["uid"], found["contract_id"]) == (UID, CONTRACT)
    assert "Ticket 7" in caplog.text
    assert UID not in caplog.text
    with pytest.raises(CommandError, match="the hub holds no SESSION X of DE-MSA"):
        run("reveal", "SESSION", "DE", "MSA", "X", "--reason", "x")
