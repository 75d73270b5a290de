"""What is stuck, worked on in bulk: asked first, done to those that were shown, written down."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hub import broker, jobs
from hub.delivery import redrive
from hub.jobs import Job, Stage
from hub.models import DeadLetter, PullState, Quarantined
from hub.tasks import delivery as delivery_tasks
from operators.groups import Role
from operators.models import Change
from sandbox import SandboxPlatform, misbehaviour
from sandbox.misbehaviour import reply
from tests.cast import CPA, a_location, command
from tests.hub.location_owner import Owner, received
from tests.hub.pull.workers import read
from tests.operators.staff import console, person
from tests.parties.commands import run

Deliver = Callable[[], int]
Pair = tuple[SandboxPlatform, SandboxPlatform]
LETTERS = "admin:hub_deadletter_changelist"
BROKEN = "admin:hub_quarantined_changelist"


@pytest.fixture
def emsp(pair: Pair, deliver_all: Deliver) -> SandboxPlatform:
    """DE-MSA, which refused L1, L2 and L3 and has nothing against them any more."""
    owner, emsp = Owner(pair[0]), pair[1]
    with emsp.answer("/locations/", misbehaviour.refuse(2001, "not now")):
        for number in (1, 2, 3):
            owner.put(f"L{number}", body=a_location(CPA, number))
        deliver_all()
    emsp.forget()
    return emsp


@pytest.fixture
def quarantined(pair: Pair) -> SandboxPlatform:
    """P1, two of whose Locations have no city."""
    page = [{**a_location(CPA, number), "city": None} for number in (1, 2)]
    with pair[0].answer("GET /sender/locations", reply(page)):
        read()
    return pair[0]


def chosen(action: str, *rows: int, across: bool = False) -> dict[str, Any]:
    """Return what a list posts for an action on some of its rows."""
    return {"action": action, "_selected_action": list(rows), "select_across": int(across)}


def asked(client: Client, page: str, form: dict[str, Any], query: str = "") -> dict[str, Any]:
    """Post an action; return what its page would post when it is confirmed."""
    answer = client.post(reverse(page) + query, form)
    assert answer.status_code == 200
    html = answer.content.decode()
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html)
    fields: dict[str, Any] = {name: value for name, value in hidden if name != "_selected_action"}
    fields["_selected_action"] = [value for name, value in hidden if name == "_selected_action"]
    assert fields.pop("csrfmiddlewaretoken", None)
    return fields | {"text": html, "url": reverse(page) + query}


def confirm(client: Client, fields: dict[str, Any]) -> Any:
    """Press the button."""
    return client.post(fields.pop("url"), {k: v for k, v in fields.items() if k != "text"})


def ids() -> list[int]:
    """Return the letters there are."""
    return list(DeadLetter.objects.order_by("pk").values_list("pk", flat=True))


def test_nothing_is_done_before_it_is_confirmed(
    emsp: SandboxPlatform, admin_client: Client
) -> None:
    """The page says how many there are, of whom, and what it means."""
    for action, title in (("redrive", "Send again: 2"), ("discard", "Discard: 2")):
        page = asked(admin_client, LETTERS, chosen(action, *ids()[:2]))

        assert f"{title} dead letters" in page["text"]
        assert "2: DE-MSA locations" in page["text"]
    assert len(ids()) == 3
    assert not Change.objects.filter(kind="hub.DeadLetter").exists()


def test_all_of_a_list_as_it_is_narrowed_are_discarded(
    emsp: SandboxPlatform, admin_client: Client
) -> None:
    """Beyond the page too; what came after the question is left; the audit says who did it."""
    form = chosen("discard", ids()[0], across=True)
    page = asked(admin_client, LETTERS, form, query="?q=NL%2FCPA%2FL")
    assert "Discard: 3 dead letters" in page["text"]
    letter = DeadLetter.objects.all()[0]
    letter.pk = None
    letter.save()

    confirm(admin_client, page)

    assert ids() == [letter.pk]
    change = Change.objects.get(kind="hub.DeadLetter")
    assert (change.action, change.subject, change.who) == ("discarded", "3 dead letters", "admin")
    assert change.before is not None
    assert change.before["of"] == ["DE-MSA locations"]


def test_letters_are_sent_again_and_watched(emsp: SandboxPlatform, admin_client: Client) -> None:
    """A worker gets them; its page shows a bar, asks again until it is over, and says the rest."""
    emsp.answer("PUT /L3", misbehaviour.refuse(2002, "never"))
    broker.connection().flushdb()
    page = asked(admin_client, LETTERS, chosen("redrive", *ids()))

    answer = confirm(admin_client, page)

    before = admin_client.get(answer.url)
    assert "0 of 3" in before.content.decode()
    assert '<progress class="hub-progress" max="3" value="0">' in before.content.decode()
    assert before.headers["Refresh"]
    [queued] = broker.connection().lrange("bulk", 0, -1)
    assert json.loads(queued)["headers"]["task"] == "hub.redrive"
    delivery_tasks.redrive(ids(), answer.url.split("/")[-2])
    after = admin_client.get(answer.url)
    assert "It is over." in after.content.decode()
    assert re.findall(r"<li>(\d [a-z ]+)</li>", after.content.decode()) == [
        "2 delivered",
        "1 refused again",
    ]
    assert "Refresh" not in after.headers
    assert set(received(emsp)) == {"NL-CPA/L1", "NL-CPA/L2"}
    assert len(ids()) == 1
    assert Change.objects.filter(action="sent again", subject="3 dead letters").exists()


def test_a_worker_that_is_quick_leaves_whose_letters_they_were(
    emsp: SandboxPlatform, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written down before a worker has them."""
    page = asked(admin_client, LETTERS, chosen("redrive", *ids()))
    monkeypatch.setattr(delivery_tasks.redrive, "delay_on_commit", delivery_tasks.redrive)

    answer = confirm(admin_client, page)

    assert ids() == []
    change = Change.objects.get(kind="hub.DeadLetter")
    assert change.before is not None
    assert change.before["of"] == ["DE-MSA locations"]
    assert "It is over." in admin_client.get(answer.url).content.decode()


def test_letters_that_others_took_are_not_said_to_be_left(
    emsp: SandboxPlatform, admin_client: Client
) -> None:
    """They are counted apart: what is left is what the list still has."""
    job, all_of_them = Job(3), ids()
    DeadLetter.objects.filter(pk=all_of_them[0]).delete()
    delivery_tasks.redrive(all_of_them, job.name)

    found = jobs.find_job(job.name)

    assert found is not None
    assert (found.counts, found.done) == ({"delivered": 2, "no longer in the list": 1}, 3)
    html = admin_client.get(reverse("admin:hub_deadletter_job", args=[job.name])).content.decode()
    assert "left in the list" not in html


def test_a_job_that_breaks_off_is_not_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has stopped, at once."""
    job = Job(1)
    monkeypatch.setattr(redrive, "_by_subscription", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        delivery_tasks.redrive([1], job.name)
    found = jobs.find_job(job.name)
    assert found is not None
    assert found.stage is Stage.STOPPED


@pytest.mark.parametrize(
    "begun, minutes, said",
    [
        (False, 59, "It waits for a worker."),
        (False, 61, "It has stopped."),
        (True, 4, "At work."),
        (True, 6, "It has stopped."),
    ],
)
def test_a_job_that_is_silent_for_too_long_has_stopped(
    admin_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    *,
    begun: bool,
    minutes: int,
    said: str,
) -> None:
    """Its page says that it can be asked for again, and asks no more; a queue has its time."""
    job = Job(3, begun=begun)
    monkeypatch.setattr(jobs, "_now", lambda: time.time() - 60 * minutes)
    job.publish()
    monkeypatch.setattr(jobs, "_now", time.time)

    answer = admin_client.get(reverse("admin:hub_deadletter_job", args=[job.name]))

    assert said in answer.content.decode()
    assert ("Refresh" in answer.headers) == (said != "It has stopped.")


def test_a_job_nobody_knows_any_more(admin_client: Client, hub_server: object) -> None:
    """Its page leads to the list; the work does not depend on what is remembered of it."""
    broker.connection().flushdb()
    html = admin_client.get(reverse("admin:hub_deadletter_job", args=["gone"])).content.decode()
    assert "Nothing is known of it any more" in html
    assert jobs.find_job("gone") is None


def test_a_job_tells_how_far_it_is() -> None:
    """What became of how many, and each reason once."""
    job = Job(5)
    job.add({"delivered": 2, "refused again": 0}, "it backs off")
    job.add({"delivered": 1}, "it backs off")
    job.end()

    found = jobs.find_job(job.name)

    assert found is not None
    assert (found.total, found.done, found.counts) == (5, 3, {"delivered": 3})
    assert (found.reasons, found.finished) == (["it backs off"], True)


def test_support_works_on_what_is_stuck_and_a_viewer_does_not(
    emsp: SandboxPlatform, hub_server: object
) -> None:
    """The actions are offered to whom they are allowed; to others the list shows itself again."""
    viewer, support = (console(person(role.group, role)) for role in (Role.VIEWER, Role.SUPPORT))
    form = chosen("discard", *ids())

    answer = viewer.post(reverse(LETTERS), form | {"up_to": "999999"})
    assert len(ids()) == 3
    assert answer.status_code == 200
    assert viewer.get(reverse("admin:hub_deadletter_job", args=["x"])).status_code == 403
    confirm(support, asked(support, LETTERS, form))
    assert ids() == []


def test_a_letter_leads_to_its_timeline(emsp: SandboxPlatform, admin_client: Client) -> None:
    """From the list and from its own page."""
    letter = DeadLetter.objects.order_by("pk")[0]
    link = f"{reverse('admin:hub_exchange_timeline')}?correlation_id={letter.correlation_id}"
    page = reverse("admin:hub_deadletter_change", args=[letter.pk])
    for url in (reverse(LETTERS), page):
        assert f'href="{link}"' in admin_client.get(url).content.decode()


def test_what_is_in_quarantine_is_read_again(
    quarantined: SandboxPlatform, admin_client: Client
) -> None:
    """The whole list is due at once; the page says of whom and what it means."""
    PullState.objects.update(full_requested=False)
    rows = Quarantined.objects.values_list("pk", flat=True)
    page = asked(admin_client, BROKEN, chosen("read_again", *rows))
    assert "2: NL-CPA locations" in page["text"]
    assert not PullState.objects.filter(module="locations", full_requested=True).exists()

    answer = confirm(admin_client, page)

    assert answer.url == reverse("admin:hub_pullstate_changelist")
    assert PullState.objects.get(module="locations", party__key="NL-CPA").full_requested
    change = Change.objects.get(kind="hub.Quarantined")
    assert (change.action, change.subject) == ("read again", "2 quarantined objects")


def test_what_is_in_quarantine_is_discarded(
    quarantined: SandboxPlatform, admin_client: Client
) -> None:
    """In the console and by command, by its number; a reading that meets it brings it back."""
    first, second = command("quarantine")
    confirm(
        admin_client,
        asked(admin_client, BROKEN, chosen("discard", first["number"])),
    )
    assert [each["number"] for each in command("quarantine")] == [second["number"]]

    output = run("discard", "quarantine", "--id", str(second["number"]))

    assert output.strip() == "1 discarded."
    assert [change.action for change in Change.objects.filter(kind="hub.Quarantined")] == [
        "discarded",
        "discarded",
    ]
    page = [{**a_location(CPA, 1), "city": None}]
    with quarantined.answer("GET /sender/locations", reply(page)):
        read(full=True)
    assert len(command("quarantine", "--party", "NL-CPA", "--module", "locations")) == 1
