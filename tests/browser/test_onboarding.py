"""A platform brought in, from its name to CONNECTED, in a real browser."""

from playwright.sync_api import Page, expect

from operators.groups import Role
from parties.models import Platform
from sandbox import misbehaviour
from tests.browser.conftest import Enter
from tests.cast import Cast
from tests.hub.message_log.conftest import Logged


def begin(page: Page, name: str) -> None:
    """Fill in the first page of the wizard for DE-MSA."""
    page.goto("/admin/parties/platform/")
    page.get_by_role("link", name="Onboard a platform").click()
    page.get_by_label("Name", exact=False).first.fill(name)
    page.get_by_label("Role").first.select_option("EMSP")
    page.get_by_label("Country code").first.fill("de")
    page.get_by_label("Party id").first.fill("msa")


def test_a_platform_registers_and_the_list_says_so(
    cast: Cast, enter: Enter, logged: Logged
) -> None:
    """Token A is shown once; the platform uses it, and each step is ticked while one looks."""
    page = enter(Role.OPERATOR)
    begin(page, "Mobility Co")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Mobility Co may register now")).to_be_visible()
    token = page.locator("dt:has-text('Token A') + dd code").inner_text()
    expect(page.get_by_text("0 of")).to_be_visible()

    cast.start("P2").register_with(cast.versions_url, token)
    logged()
    expect(page.get_by_text("Mobility Co is CONNECTED")).to_be_visible()
    expect(page.locator(".hub-step-done").first).to_be_visible()
    assert Platform.objects.get(name="Mobility Co").status == "CONNECTED"
    page.locator(".hub-step details summary").first.click()
    expect(page.locator(".hub-step pre").first).to_be_visible()
    page.reload()
    assert token not in page.content()


def test_the_hub_registers_and_a_second_click_mends_the_first(
    cast: Cast, enter: Enter, logged: Logged
) -> None:
    """What was answered wrongly stands in the checklist; the token need not be typed again."""
    theirs = cast.start("P2")
    page = enter(Role.OPERATOR)
    begin(page, "Mobility Co")
    page.get_by_label("The hub: the platform gave us").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="The hub registers with Mobility Co")).to_be_visible()
    page.get_by_label("Its versions URL").fill(theirs.url)
    page.get_by_label("The token A it issued to us").fill(theirs.invite())
    with theirs.answer("GET /versions", misbehaviour.html(502)):
        page.get_by_role("button", name="Register").click()
        expect(page.get_by_text("The handshake failed").first).to_be_visible()
    assert Platform.objects.get(name="Mobility Co").status == "PLANNED"
    logged()
    wrong = page.locator(".hub-step-wrong")
    expect(wrong).to_contain_text("HTTP 502")

    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_text("Mobility Co is connected.")).to_be_visible()
    logged()
    expect(page.get_by_role("status")).to_contain_text("Mobility Co is CONNECTED")
    expect(wrong).to_have_count(0)
    expect(page.locator(".hub-step-done", has_text="Credentials exchanged")).to_be_visible()
    assert Platform.objects.get(name="Mobility Co").status == "CONNECTED"
