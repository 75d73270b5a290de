"""What may be done with rows of a list is written down, and no page opens to who may nothing."""

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver

from hub.models import DeadLetter, PullState, Quarantined, Subscription
from operators.groups import Role
from operators.models import Change, ConsoleSession
from parties.models import Party
from tests.console.test_charged_objects import a_cdr, a_session, a_token
from tests.factories import AgreementFactory, PartyFactory
from tests.operators.staff import console, person

pytestmark = [pytest.mark.django_db, pytest.mark.security("S-21")]
Row = Callable[[], Any]


def receiver() -> Party:
    """Return a party that receives."""
    party: Party = PartyFactory.create(role="EMSP", country_code="DE", party_id="MSA")
    return party


def subscription() -> Subscription:
    """Return what delivery knows of a receiver."""
    return Subscription.objects.create(
        receiver=receiver(), module="locations", transaction=0, seq=0
    )


def dead_letter() -> DeadLetter:
    """Return a message that came back."""
    return DeadLetter.objects.create(
        subscription=subscription(), method="PUT", path="NL/CPA/L1", reason="no"
    )


def pull() -> PullState:
    """Return a list that is read."""
    return PullState.objects.create(party=receiver(), module="tokens")


def broken() -> Quarantined:
    """Return an object of it that cannot be used."""
    return Quarantined.objects.create(
        pull=pull(), key="L1", object_id="L1", text="{}", findings="-"
    )


def account() -> User:
    """Return an account."""
    return person("vera", Role.VIEWER)


def session() -> ConsoleSession:
    """Return one in which somebody is logged in."""
    console(account())
    return ConsoleSession.objects.get(user__username="vera")


AUDITED_ACTIONS: dict[tuple[str, str], tuple[Row, str]] = {
    ("hub.deadletter", "redrive"): (dead_letter, "sent again"),
    ("hub.deadletter", "discard"): (dead_letter, "discarded"),
    ("hub.quarantined", "read_again"): (broken, "read again"),
    ("hub.quarantined", "discard"): (broken, "discarded"),
    ("hub.pullstate", "pull_now"): (pull, "read changes"),
    ("hub.pullstate", "pull_everything"): (pull, "read everything"),
    ("hub.subscription", "deliver_now"): (subscription, "delivered at once"),
    ("auth.user", "end_sessions"): (account, "ended sessions"),
    ("operators.consolesession", "end"): (session, "ended sessions"),
}
# It writes down what it takes away: with nothing there, nothing.
WITHOUT_A_ROW = {("auth.user", "reset_two_factor")}


def test_every_deed_of_a_list_is_known() -> None:
    """One that is new is put here, with what it is called in the audit."""
    offered = {
        (model._meta.label_lower, getattr(action, "__name__", action))
        for model, page in admin.site._registry.items()
        for action in page.actions or ()
    }
    assert offered - WITHOUT_A_ROW == set(AUDITED_ACTIONS)


@pytest.mark.parametrize("action", AUDITED_ACTIONS, ids=" ".join)
def test_an_action_of_a_list_is_written_down(action: tuple[str, str]) -> None:
    """Who did it, what, and to what."""
    label, name = action
    make, words = AUDITED_ACTIONS[action]
    row = make()
    anna = console(person("anna", Role.ADMINISTRATOR))
    Change.objects.all().delete()
    page = f"/admin/{label.replace('.', '/')}/"
    anna.post(page, {"action": name, "_selected_action": [str(row.pk)], "up_to": str(row.pk)})
    entry = Change.objects.get(action=words)
    assert (entry.who, entry.channel, entry.address) == ("anna", "console", "127.0.0.1")


OPEN = {
    *("admin:index", "admin:login", "admin:logout", "admin:jsi18n"),
    *("admin:password_change", "admin:password_change_done"),
    # One's own.
    *(f"admin:operators_consolesession_{page}" for page in ("changelist", "change", "history")),
    # What leads on to other pages.
    *("admin:view_on_site", "admin:autocomplete", "admin:search", "admin:toggle_sidebar"),
}
_ARGUMENTS = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")


def patterns(found: Any, way: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Yield the addresses of the console, each with its name."""
    for each in found:
        here = way + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns, here, each.namespace or space)
        elif isinstance(each, URLPattern) and each.name:
            yield f"{space}:{each.name}", here


def filled(pattern: str) -> list[str]:
    """Return an address about a row that is there, and one about a row that is not."""
    found = re.match("admin/([a-z_]+)/([a-z]+)/", pattern)
    model = apps.get_model(found[1], found[2]) if found else None
    row = model._default_manager.order_by("pk").first() if model else None
    return ["/" + _ARGUMENTS.sub(str(pk), pattern) for pk in (row.pk if row else 1, -1)]


def test_no_page_of_the_console_opens_to_who_may_nothing() -> None:
    """A person with a log-in and no group is refused on each address there is, whatever it says."""
    dead_letter()
    AgreementFactory.create()
    for make in (a_token, a_session, a_cdr):
        make()
    nobody = console(person("nobody"))
    opened, asked = [], 0
    for name, pattern in patterns(get_resolver().url_patterns):
        if not name.startswith("admin:") or name in OPEN or "(?P" in pattern:
            continue
        for address, method in product(filled(pattern), ("get", "post")):
            answer = getattr(nobody, method)(address)
            asked += answer.status_code == 403
            if answer.status_code not in {302, 403, 404, 405}:
                opened.append((name, method, answer.status_code))
    assert opened == []
    assert asked > 200
