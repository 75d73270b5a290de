"""At the console: a driver looked for, taken away and erased, a platform forgotten, and by whom."""

import json
from base64 import b64decode
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from hub import broker, jobs
from hub.jobs import Job
from hub.models import KeptCdr, Session, Token
from hub.privacy import erasure
from hub.privacy.drivers import Driver
from hub.tasks import housekeeping
from operators.groups import Role, least_role
from operators.models import Change as Audited
from parties.models import Platform
from tests.console.test_charged_objects import CONTRACT, UID, a_cdr, a_session, a_token
from tests.factories import PartyFactory, PlatformFactory
from tests.operators.staff import console, person

pytestmark = [pytest.mark.django_db, pytest.mark.security("S-25")]
PAGE = "/admin/hub/token/driver/"
ASKED = {"uids": UID, "contract": "", "party": "", "reason": "ticket 7"}


def queued() -> list[Any]:
    """Return the arguments of the work that waits for a worker."""
    texts = broker.connection().lrange("bulk", 0, -1)
    return [json.loads(text) for text in texts]


def test_who_is_meant_is_looked_for_first(admin_client: Client) -> None:
    """By counts; what names the driver is neither in an address nor in the audit."""
    a_token()
    a_session()
    a_cdr()
    assert PAGE in admin_client.get("/admin/hub/token/").content.decode()
    asked: Any = admin_client.post(PAGE, {**ASKED, "do": "look"})
    assert dict(asked.context["found"]) == {"tokens": 1, "sessions": 1, "CDRs": 1}
    assert "no-store" in asked.headers["Cache-Control"]
    assert not Audited.objects.filter(kind="hub.Token").exists()
    nobody = admin_client.post(PAGE, {**ASKED, "uids": "", "do": "look"}).content.decode()
    assert "name the driver by the uid of a token" in nobody
    assert (
        "reason" in admin_client.post(PAGE, {**ASKED, "reason": "", "do": "erase"}).content.decode()
    )
    assert Token.objects.exists()


def test_a_drivers_data_is_taken_away(admin_client: Client) -> None:
    """One file, whole; the audit says by whom and why."""
    a_token()
    a_session()
    answer: Any = admin_client.post(PAGE, {**ASKED, "do": "export"})
    taken = json.loads(b"".join(answer.streaming_content))
    assert set(taken["data"]) == {"tokens", "sessions"}
    assert UID in json.dumps(taken["data"]["tokens"])
    assert "attachment" in answer.headers["Content-Disposition"]
    row = Audited.objects.get(action="took a driver's data away")
    assert (row.who, row.channel, row.after) == ("admin", "console", {"reason": "ticket 7"})


def test_a_worker_erases_and_a_page_watches(admin_client: Client) -> None:
    """In the name of who asked; what names the driver crosses Redis sealed."""
    broker.connection().flushdb()
    a_token()
    a_session()
    jobs_of_others = Job(1)
    jobs_of_others.add({}, f"DE-MSA: card {UID} is blocked")
    answer: Any = admin_client.post(PAGE, {**ASKED, "do": "erase"})
    waiting = admin_client.get(answer.url)
    assert "It waits for a worker." in waiting.content.decode()
    assert waiting.headers["Refresh"]
    [task] = queued()
    assert task["headers"]["task"] == "hub.erase_driver"
    assert UID not in json.dumps(task)
    [sealed, name], _, _ = json.loads(b64decode(task["body"]))
    assert UID not in sealed

    housekeeping.erase_driver(sealed, name)

    over = admin_client.get(answer.url).content.decode()
    assert "It is over." in over
    assert "tokens: 1" in over
    assert not Token.objects.exists()
    assert UID not in Session.objects.get().text
    row = Audited.objects.get(action="erased a driver")
    assert (row.who, row.channel) == ("admin", "console")
    assert jobs.find_job(jobs_of_others.name) is None


def test_each_deed_has_a_permission_of_its_own(client: Client, django_user_model: Any) -> None:
    """Who may do one may not do the other, and who may see tokens neither."""
    assert (
        least_role("hub", "erase_driver")
        is least_role("hub", "export_driver")
        is Role.ADMINISTRATOR
    )
    a_token()
    operator = console(person("olga", Role.OPERATOR))
    assert operator.post(PAGE, {**ASKED, "do": "export"}).status_code == 403
    assert PAGE not in operator.get("/admin/hub/token/").content.decode()
    user = django_user_model.objects.create_user("dpo", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=("view_token", "export_driver"))
    )
    client.force_login(user)
    assert client.post(PAGE, {**ASKED, "do": "erase"}).status_code == 403
    assert client.post(PAGE, {**ASKED, "do": "export"}).status_code == 200
    assert client.get(reverse("admin:hub_token_driver_job", args=["x"])).status_code == 200


def test_a_platform_is_forgotten_by_its_name(admin_client: Client) -> None:
    """The page says what goes and what stays; a worker does it, in the name of who asked."""
    broker.connection().flushdb()
    platform = PlatformFactory.create(name="P2", planned=True)
    PartyFactory.create(platform=platform, role="EMSP", country_code="DE", party_id="MSA")
    a_token()
    a_cdr()
    page = reverse("admin:parties_platform_forget", args=[platform.pk])
    asked = admin_client.get(page).content.decode()
    assert "Removed: tokens: 1" in asked
    assert "kept CDRs: 1, for operators alone" in asked
    assert "not its name" in admin_client.post(page, {"name": "P1"}).content.decode()
    assert console(person("olga", Role.OPERATOR)).get(page).status_code == 403

    answer: Any = admin_client.post(page, {"name": "P2"})
    [task] = queued()
    [sealed, name], _, _ = json.loads(b64decode(task["body"]))
    housekeeping.forget_platform(sealed, name)

    assert "It is over." in admin_client.get(answer.url).content.decode()
    assert not Platform.objects.exists()
    assert Audited.objects.get(action="forgot").who == "admin"
    kept = KeptCdr.objects.get()
    shown = admin_client.get(f"/admin/hub/keptcdr/{kept.pk}/change/").content.decode()
    assert "ERASED" in shown
    assert CONTRACT not in shown


def test_what_cannot_be_done_says_why(admin_client: Client) -> None:
    """A job that fails has its reason on its page, and what was found stays."""
    from hub.privacy.jobs import hand_over  # noqa: PLC0415

    broker.connection().flushdb()
    name = hand_over(housekeeping.forget_platform, {"name": "nobody"})
    [sealed, _], _, _ = json.loads(b64decode(queued()[0]["body"]))
    housekeeping.forget_platform(sealed, name)
    page = admin_client.get(reverse("admin:parties_platform_forget_job", args=[name]))
    assert "no platform is called nobody" in page.content.decode()
    assert erasure.survey(Driver.named([UID])).counts.total() == 0
