"""No page has a serious fault for those who read by other means than sight, or see little."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.admin import site
from playwright.sync_api import Page, expect

from console.object_links import page_of
from hub.jobs import Job
from hub.models import Session
from operators.groups import Role
from parties.models import Platform
from tests.browser.a_day import JOURNEY, Day
from tests.browser.conftest import Enter
from tests.operators.staff import PASSWORD, person

_SERIOUS = {"serious", "critical"}
_PLACES = [model._meta.label_lower.replace(".", "/") for model in site._registry]
_PAGES = (
    "/admin/",
    f"/admin/hub/exchange/timeline/?correlation_id={JOURNEY}",
    "/admin/parties/agreement/matrix/",
    "/admin/parties/agreement/explain/?one=NL-CPA&other=DE-MSA&module=locations",
    "/admin/parties/agreement/import/",
    "/admin/parties/agreement/add/",
    "/admin/parties/platform/add/",
    "/admin/hub/location/map/",
    "/admin/hub/cdr/export/",
    "/admin/hub/token/driver/",
    "/admin/two-factor/",
    "/admin/password_change/",
    "/admin/auth/user/add/",
    "/admin/auth/group/add/",
    *(f"/admin/{name}/" for name in _PLACES),
)


def faults(page: Page) -> list[str]:
    """Return what axe finds of a page, each with the first elements it is about."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{page.url} {each['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for each in found
        if each["impact"] in _SERIOUS
        for node in each["nodes"][:3]
    ]


def pages() -> list[str]:
    """Return the pages that are the same in each hub, and one of each kind of row."""
    rows = (model._default_manager.order_by("pk").first() for model in site._registry)
    invited = page_of(Platform.objects.get(status="PLANNED")).removesuffix("change/")
    onboarding = [f"{invited}onboarding/", f"{invited}onboarding/?starts=hub", f"{invited}forget/"]
    reveal = f"{page_of(Session.objects.earliest('pk')).removesuffix('change/')}reveal/"
    return [*_PAGES, *onboarding, reveal, *(page_of(row) for row in rows if row is not None)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault(day: Day, enter: Enter, scheme: str) -> None:
    """In light and in dark."""
    page = enter(Role.ADMINISTRATOR, color_scheme=scheme)
    found: list[str] = []
    for address in pages():
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, address
        expect(page.locator("body")).to_be_visible()
        found += faults(page)
    assert not found, "\n".join(found)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_comes_before_and_after_a_deed_has_no_serious_fault(
    day: Day, enter: Enter, scheme: str
) -> None:
    """The page that asks once more, that of a job, that of a file on its way."""
    page = enter(Role.ADMINISTRATOR, color_scheme=scheme)
    found: list[str] = []
    for action in ("Send again", "Discard"):
        page.goto("/admin/hub/deadletter/")
        page.locator("#result_list tbody").get_by_role("checkbox").first.check()
        page.get_by_role("combobox", name="Action").select_option(label=action)
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_role("heading", name=f"{action}: 1 dead letters")).to_be_visible()
        found += faults(page)
    for job in jobs_of_all_kinds():
        page.goto(f"/admin/hub/deadletter/job/{job}/")
        found += faults(page)
    page.goto("/admin/hub/session/export/")
    with page.expect_download():
        page.get_by_role("button", name="Export").click()
    expect(page.get_by_text("The file is complete")).to_be_visible()
    found += faults(page)
    assert not found, "\n".join(found)


def jobs_of_all_kinds() -> list[str]:
    """Return one that waits, one at work, one that stopped, one that is over, one nobody knows."""
    waiting, working, stopped, over = (Job(3) for _ in range(4))
    waiting.publish()
    working.begin()
    stopped.fail()
    over.add({"delivered": 2}, "NL-CPA: no such country")
    over.end()
    return [*(job.name for job in (waiting, working, stopped, over)), "unknown"]


def test_the_log_in_has_no_serious_fault(enter: Enter) -> None:
    """Also when it refuses somebody."""
    person("vera")
    page = enter()
    page.goto("/admin/")
    assert faults(page) == []
    page.get_by_label("Username").fill("vera")
    page.locator("input[name=password]").fill(f"not {PASSWORD}")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Please enter the correct").first).to_be_visible()
    assert faults(page) == []
