"""The console's pages of pulls and of the quarantine: progress, reasons, nothing of a driver."""

import pytest
from django.test import Client
from django.urls import reverse

from hub import broker
from hub.models import PullState, Quarantined
from hub.pull import status
from operators.models import Change
from sandbox import SandboxPlatform
from sandbox.misbehaviour import html, reply
from tests.cast import CPA, a_location, command
from tests.hub.pull.workers import offer, read, state
from tests.ocpi.objects import a_token

Pair = tuple[SandboxPlatform, SandboxPlatform]
UID = "0123456789ABCDEF"


def page(client: Client, model: str, *arguments: int, query: str = "") -> str:
    """Open a list, or one row's page, and return its text."""
    name = f"admin:hub_{model}_{'change' if arguments else 'changelist'}"
    answer = client.get(reverse(name, args=arguments) + query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def broken(pair: Pair) -> SandboxPlatform:
    """P1, whose list had a good Location and one without city."""
    wrong = {**a_location(CPA, 2), "city": None}
    with pair[0].answer("GET /sender/locations", reply([a_location(CPA, 1), wrong])):
        read()
    return pair[0]


def test_progress_and_reasons_are_shown(broken: SandboxPlatform, admin_client: Client) -> None:
    """Counts, the way to the quarantine, and there the finding with a hint."""
    overview = page(admin_client, "pullstate")
    assert "1 stored" in overview
    assert "?pull__module=locations&amp;q=NL-CPA" in overview
    assert "complete" in page(admin_client, "pullstate", state().pk)

    PullState.objects.update(phase=PullState.Phase.FULL, seen=1, total=4)
    assert 'aria-label="Objects read" max="4" value="1"' in page(admin_client, "pullstate")
    PullState.objects.update(total=None)
    assert 'aria-label="Objects read"></progress>' in page(admin_client, "pullstate")

    [kept] = Quarantined.objects.all()
    listed = page(admin_client, "quarantined", query="?pull__module=locations&q=NL-CPA")
    assert "L2" in listed
    assert "city: " in page(admin_client, "quarantined", kept.pk)


def test_errors_are_shown(broken: SandboxPlatform, admin_client: Client) -> None:
    """A list that could not be read says why, in the list and on its page."""
    with broken.answer("GET /sender/locations", html(502)):
        failed = read()
    assert "1 failed" in page(admin_client, "pullstate")
    assert "failed with HTTP 502" in page(admin_client, "pullstate", failed.pk)


@pytest.mark.parametrize("action,full", [("pull_now", False), ("pull_everything", True)])
def test_lists_are_read_when_an_operator_says_so(
    pair: Pair, admin_client: Client, action: str, *, full: bool
) -> None:
    """They are due at once, and a task is on its way; reading everything is on record."""
    offer(pair[0], "locations", a_location(CPA, 1))
    done = read()
    assert not PullState.objects.filter(pk=done.pk, full_requested=True).exists()
    broker.connection().flushdb()

    admin_client.post(
        reverse("admin:hub_pullstate_changelist"),
        {"action": action, "_selected_action": [done.pk]},
    )

    ordered = state()
    assert ordered.due_at < done.due_at
    assert ordered.full_requested is full
    asked = Change.objects.filter(action="read everything").values_list(
        "who", "subject", "before__of"
    )
    assert list(asked) == ([("admin", "1 list", ["NL-CPA locations"])] if full else [])
    assert b"start_pulls" in broker.connection().lrange("bulk", 0, -1)[0]


@pytest.mark.django_db
def test_no_list_is_read_where_none_was_chosen() -> None:
    """Nothing was done, so the audit has nothing of it."""
    assert status.request(PullState.objects.none(), full=True) == 0
    assert not Change.objects.filter(action="read everything").exists()


def test_nothing_of_a_driver_is_shown(pair: Pair, admin_client: Client) -> None:
    """Neither the page nor the command tells the uid of a Token that could not be used."""
    emsp = pair[1]
    wrong = {**a_token(uid=UID), "valid": UID}
    with emsp.answer("GET /sender/tokens", reply([wrong])):
        read("tokens", emsp.party)

    [kept] = Quarantined.objects.all()
    texts = [page(admin_client, "quarantined"), page(admin_client, "quarantined", kept.pk)]
    [listed] = command("quarantine", "--party", "DE-MSA", "--module", "tokens")
    assert listed["id"] == "…CDEF"
    assert not [text for text in (*texts, str(listed)) if UID in text]


def test_the_words_of_a_list_of_tokens_are_not_quoted(pair: Pair) -> None:
    """An answer that is no list of Tokens may name some: the error has the rest of the sentence."""
    with pair[1].answer("GET /sender/tokens", reply({"uid": UID})):
        failed = read("tokens", pair[1].party)

    assert "`data` is not a list of objects" in failed.last_error
    assert UID not in failed.last_error
