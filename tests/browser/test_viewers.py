"""Who may only look: no page offers to change anything, and what is asked for anyway is refused."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from playwright.sync_api import Page, expect

from hub.models import DeadLetter, PullState, Subscription
from hub.pull import schedule
from operators.groups import Role
from operators.login_events import Event
from operators.models import Change
from parties.models import Agreement, Platform
from tests.browser.conftest import Enter
from tests.cast import Cast
from tests.console.test_charged_objects import a_token

_CHANGING = (
    'form[method="post"]:not([action$="/logout/"], #changelist-form, [id$="_form"])',
    '[name="_save"]',
    'input[type="checkbox"][name="pair"]',
    'select[name="action"]',
    'a[href$="/add/"]',
)
_YES = {"confirmed": "1"}


@pytest.fixture
def stuck(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """A hub with two platforms, an agreement, and a letter that came back."""
    assert cast["P1"]
    assert cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()
    DeadLetter.objects.create(
        subscription=Subscription.objects.filter(module="locations").earliest("pk"),
        method="PUT",
        path="NL/CPA/L1",
        reason="no",
    )


@pytest.fixture
def viewer(stuck: None, enter: Enter) -> Page:
    """Vera, at that hub."""
    return enter(Role.VIEWER)


def pages() -> list[str]:
    """Return what there is to change, each on its page, and the lists of it."""
    rows = (Platform.objects.first(), Agreement.objects.get(), DeadLetter.objects.get())
    lists = [f"/admin/{row._meta.app_label}/{row._meta.model_name}/" for row in rows if row]
    each = [f"{one}{row.pk}/change/" for one, row in zip(lists, rows, strict=True) if row]
    return ["/admin/", "/admin/parties/agreement/matrix/", *lists, *each]


def offered(page: Page) -> Iterator[tuple[str, str]]:
    """Find what each page offers to change, by its selector."""
    for address in pages():
        page.goto(address)
        expect(page.locator("h1, h2").first).to_be_visible()
        yield from ((address, offer) for offer in _CHANGING if page.locator(offer).count())


def test_no_page_offers_a_change(viewer: Page) -> None:
    """No button, no box to tick, no list of actions."""
    assert list(offered(viewer)) == []


def test_who_may_change_is_offered_it_there(stuck: None, enter: Enter) -> None:
    """Each kind of offer is found, so that finding none means that there is none.

    On the letter's own page, the last of them, nobody changes anything.
    """
    found = list(offered(enter(Role.ADMINISTRATOR)))
    assert {offer for _, offer in found} == set(_CHANGING)
    assert {address for address, _ in found} == set(pages()[:-1])


def refused() -> list[tuple[str, dict[str, str], int]]:
    """Return what a viewer may not ask for, and how each answers.

    A list shows itself again: an action that is not offered is none.
    """
    schedule.reconcile()
    PullState.objects.update(full_requested=False)
    platform = f"/admin/parties/platform/{Platform.objects.earliest('pk').pk}"
    agreement = Agreement.objects.get()
    pair = f"{agreement.cpo_id}-{agreement.emsp_id}"
    given = {"versions_url": "https://p9.example.com/versions", "token_a": "token"}
    letter, pull = _chosen(DeadLetter.objects.get()), _chosen(PullState.objects.earliest("pk"))
    return [
        (f"{platform}/suspend/", {}, 403),
        (f"{platform}/change/", {"name": "mine"}, 403),
        (f"{platform}/onboarding/", {"pull": ""}, 403),
        (f"{platform}/onboarding/", given, 403),
        ("/admin/parties/platform/add/", {"name": "mine", "starts": "platform"}, 403),
        (f"/admin/parties/agreement/{agreement.pk}/change/", {"state": "SUSPENDED"}, 403),
        ("/admin/parties/agreement/matrix/", {"change": "suspend", "pair": pair, **_YES}, 403),
        ("/admin/parties/agreement/import/", {"import": "1"}, 403),
        ("/admin/hub/deadletter/", {"action": "discard", **letter}, 200),
        ("/admin/hub/deadletter/", {"action": "redrive", **letter}, 200),
        ("/admin/hub/pullstate/", {"action": "pull_everything", **pull}, 200),
        ("/admin/hub/location/export/", {"form": "csv"}, 403),
        ("/admin/hub/token/export/", {"form": "csv", "reason": "Ticket 7"}, 403),
        (f"/admin/hub/token/{a_token().pk}/reveal/", {"reason": "Ticket 7"}, 403),
        ("/admin/auth/user/add/", {"username": "mallory"}, 403),
    ]


def _chosen(row: Model) -> dict[str, str]:
    """Return what a list posts for one row, its action confirmed."""
    return {"_selected_action": str(row.pk), "up_to": str(row.pk), "index": "0"}


def test_what_is_asked_for_anyway_is_refused(viewer: Page) -> None:
    """With the token of a form of theirs, as somebody who writes requests by hand; and told."""
    viewer.goto("/admin/")
    token = viewer.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    for address, asked, status in refused():
        form: dict[str, str | float | bool] = {"csrfmiddlewaretoken": token, **asked}
        answer = viewer.request.post(address, form=form, max_redirects=0)
        assert answer.status == status, (address, asked)
    assert Platform.objects.earliest("pk").status == "CONNECTED"
    assert Agreement.objects.get().state == "ACTIVE"
    assert DeadLetter.objects.count() == 1
    assert not PullState.objects.filter(full_requested=True).exists()
    assert not User.objects.filter(username="mallory").exists()
    actions = set(Change.objects.exclude(who="hub").values_list("action", flat=True))
    assert actions == {Event.DENIED}
