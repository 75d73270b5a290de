"""How far an export is while it comes: shown on the page that asked for it."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from hub import broker, export
from hub.jobs import Job
from operators.groups import Role
from tests.console.test_charged_objects import a_session
from tests.factories import PartyFactory
from tests.hub.test_export import lines
from tests.operators.staff import console, person

pytestmark = pytest.mark.django_db
EXPORT = reverse("admin:hub_session_export")
PROGRESS = reverse("admin:hub_session_export_progress")
JOB = "0123456789abcdef" * 2


@pytest.fixture(autouse=True)
def _parties() -> None:
    PartyFactory.create(country_code="NL", party_id="CPA")
    PartyFactory.create(role="EMSP", country_code="DE", party_id="MSA")


@pytest.fixture(autouse=True)
def _no_job() -> None:
    """No test sees how far another one was."""
    broker.connection().flushdb()


def how_far(client: Client) -> dict[str, object]:
    """Ask as the page asks."""
    answer = client.get(PROGRESS, {"job": JOB})
    assert answer.status_code == 200
    progress: dict[str, object] = answer.json()
    return progress


def test_a_page_sees_how_far_its_file_is(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the reader takes it, part by part, under a name that the page made up."""
    monkeypatch.setattr(export, "CHUNK", 2)
    for number in range(4):
        a_session(f"S{number}")
    assert how_far(admin_client) == {}

    answer: Any = admin_client.post(EXPORT, {"form": "csv", "job": JOB})
    assert how_far(admin_client)["words"] == "Other files come first. Rows: 0"
    file = iter(answer)
    text = next(file) + next(file) + next(file)
    half = how_far(admin_client)
    text += b"".join(file)

    assert half == {"share": 0.5, "words": "The file is on its way. Rows: 2", "is_over": False}
    assert how_far(admin_client) == {
        "share": 1.0,
        "words": "The file is complete. Rows: 4",
        "is_over": True,
    }
    assert len(lines(text.decode())) == 4


@pytest.mark.django_db(transaction=True)
def test_a_file_that_broke_off_says_so(admin_client: Client) -> None:
    """Whoever goes away in the middle has no file."""
    a_session()
    answer: Any = admin_client.post(EXPORT, {"form": "csv", "job": JOB})
    file = iter(answer)
    next(file)
    answer.close()
    progress = how_far(admin_client)
    assert (progress["is_over"], str(progress["words"]).startswith("It broke off")) == (True, True)


@pytest.mark.django_db(transaction=True)
def test_a_file_whose_reader_did_not_wait_for_its_turn_says_so(admin_client: Client) -> None:
    """None of it was made, and none will be."""
    answer: Any = admin_client.post(EXPORT, {"form": "csv", "job": JOB})
    answer.close()
    progress = how_far(admin_client)
    assert (progress["is_over"], str(progress["words"]).startswith("It broke off")) == (True, True)


def test_how_far_a_file_is_is_for_who_may_take_lists() -> None:
    """And see the one that was taken; whoever may only take them sees none."""
    viewer = console(person("vera", Role.VIEWER))
    assert viewer.get(PROGRESS, {"job": JOB}).status_code == 403
    blind = person("bob")
    blind.user_permissions.set(Permission.objects.filter(codename="export_objects"))
    assert console(blind).get(PROGRESS, {"job": JOB}).status_code == 403


def test_a_name_that_no_page_makes_up_is_none() -> None:
    """Neither for a file nor to ask how far one is, though something has that name."""
    support = console(person("sam", Role.SUPPORT))
    answer = support.post(EXPORT, {"form": "csv", "job": "../x"})
    assert not answer.streaming
    Job(name="export-../x").publish()
    assert support.get(PROGRESS, {"job": "../x"}).json() == {}
