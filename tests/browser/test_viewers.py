"""Who may only look: no page offers to change anything, and what is asked for anyway is refused."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hub.models import DeadLetter, Subscription
from operators.models import Change
from operators.roles import Role
from parties.models import Agreement, Platform
from tests.browser.conftest import Enter
from tests.cast import Cast

_CHANGING = (
    'form[method="post"]:not([action$="/logout/"], #changelist-form, [id$="_form"])',
    'input[name="_save"]',
    'input[type="checkbox"][name="pair"]',
    'select[name="action"]',
    'a[href$="/add/"]',
)


@pytest.fixture
def viewer(cast: Cast, enter: Enter, deliver_all: Callable[[], int]) -> Page:
    """Vera, at a hub with two platforms, an agreement, and a letter that came back."""
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
    return enter(Role.VIEWER)


def pages() -> list[str]:
    """Return what there is to change, each on its page, and the lists of it."""
    rows = (Platform.objects.first(), Agreement.objects.get(), DeadLetter.objects.get())
    lists = [f"/admin/{row._meta.app_label}/{row._meta.model_name}/" for row in rows if row]
    each = [f"{one}{row.pk}/change/" for one, row in zip(lists, rows, strict=True) if row]
    return ["/admin/", "/admin/parties/agreement/matrix/", *lists, *each]


def test_no_page_offers_a_change(viewer: Page) -> None:
    """No button, no box to tick, no list of actions."""
    for address in pages():
        viewer.goto(address)
        expect(viewer.locator("h1, h2").first).to_be_visible()
        for offer in _CHANGING:
            assert viewer.locator(offer).count() == 0, (address, offer)


def test_what_is_asked_for_anyway_is_refused(viewer: Page) -> None:
    """With the token of a form of theirs, as somebody who writes requests by hand."""
    viewer.goto("/admin/")
    token = viewer.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    platform, agreement = Platform.objects.earliest("pk"), Agreement.objects.get()
    letter = str(DeadLetter.objects.get().pk)
    pair = f"{agreement.cpo_id}-{agreement.emsp_id}"
    asked: dict[str, dict[str, str]] = {
        f"/admin/parties/platform/{platform.pk}/suspend/": {},
        f"/admin/parties/platform/{platform.pk}/change/": {"name": "mine"},
        f"/admin/parties/agreement/{agreement.pk}/change/": {"state": "SUSPENDED"},
        "/admin/parties/agreement/matrix/": {"deed": "suspend", "pair": pair, "confirmed": "1"},
        "/admin/hub/deadletter/": {"action": "discard", "_selected_action": letter},
        "/admin/auth/user/add/": {"username": "mallory"},
    }
    for address, form in asked.items():
        answer = viewer.request.post(address, form={"csrfmiddlewaretoken": token, **form})
        assert answer.status in {403, 404} or DeadLetter.objects.count() == 1, address
    assert Platform.objects.get(pk=platform.pk).status == "CONNECTED"
    assert Agreement.objects.get().state == "ACTIVE"
    assert not Change.objects.exclude(who="hub").exists()
